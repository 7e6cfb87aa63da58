"""How two states differ: entities and edges gone, new and changed, and which fields. Pure."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.entity_view.state import State
from neotoma_core.export.stated import members

ENTITIES: Final = {
    "kind": pl.String,
    "entity_id": pl.String,
    "entity_type": pl.String,
    "user_id": pl.String,
    "reason": pl.String,
}
"""One row per entity and user: ``kind`` is ``gone``, ``new`` or ``changed``; ``reason`` says how
it went or came, where that is known: merged into another, or deleted."""

FIELDS: Final = {
    "entity_id": pl.String,
    "user_id": pl.String,
    "field": pl.String,
    "kind": pl.String,
    "before": pl.String,
    "after": pl.String,
}
"""One row per field of a changed entity; ``before`` and ``after`` are JSON, null where it has
none."""

EDGES: Final = {
    "kind": pl.String,
    "relationship_type": pl.String,
    "source_entity_id": pl.String,
    "target_entity_id": pl.String,
}
_OF_ONE: Final = ["entity_id", "user_id"]
_ENDS: Final = ("source_entity_id", "target_entity_id")


@dataclass(frozen=True, slots=True)
class Differences:
    """``entities``: ``ENTITIES``; ``fields``: ``FIELDS``; ``edges``: ``EDGES``; each in order.

    ``unchanged``: (entity_type, entities) of those that are alike.
    """

    entities: pl.DataFrame
    fields: pl.DataFrame
    edges: pl.DataFrame
    unchanged: pl.DataFrame


def compare_states(before: State, after: State) -> Differences:
    """Compare two states, entity by entity of each user.

    The order of a snapshot's fields does not matter.
    """
    ones, others = before.entities, after.entities
    gone = ones.join(others, on=_OF_ONE, how="anti", nulls_equal=True)
    new = others.join(ones, on=_OF_ONE, how="anti", nulls_equal=True)
    both = ones.select(*_OF_ONE, "entity_type", "snapshot").join(
        others.select(*_OF_ONE, after_type="entity_type", then="snapshot"),
        on=_OF_ONE,
        nulls_equal=True,
    )
    fields = _fields(both)
    is_changed = both.join(fields, on=_OF_ONE, how="semi", nulls_equal=True)
    alike = both.join(fields, on=_OF_ONE, how="anti", nulls_equal=True)
    entities = pl.concat(
        [
            _because(gone, after).with_columns(kind=pl.lit("gone")).select(*ENTITIES),
            is_changed.with_columns(
                kind=pl.lit("changed"), reason=pl.lit(None, pl.String), entity_type="after_type"
            ).select(*ENTITIES),
            _because(new, before).with_columns(kind=pl.lit("new")).select(*ENTITIES),
        ]
    )
    return Differences(
        entities.sort("entity_type", "entity_id", "user_id"),
        fields,
        _edges(before.edges, after.edges),
        alike.group_by(entity_type="after_type").agg(entities=pl.len().cast(pl.Int64)),
    )


def _because(entities: pl.DataFrame, other: State) -> pl.DataFrame:
    """Return entities that one state has, with how the other one lost them."""
    deleted = other.deleted.with_columns(_deleted=pl.lit("deleted")).unique()
    told = entities.join(other.away, on="entity_id", how="left").join(
        deleted, on=_OF_ONE, how="left", nulls_equal=True
    )
    return told.with_columns(
        reason=pl.coalesce(pl.lit("merged into ") + pl.col("into"), pl.col("_deleted"))
    )


def _fields(both: pl.DataFrame) -> pl.DataFrame:
    """Return ``FIELDS`` of the entities whose snapshots or types differ."""
    differing = both.filter(
        pl.col("snapshot").ne_missing(pl.col("then"))
        | pl.col("entity_type").ne_missing(pl.col("after_type"))
    ).with_row_index("row")
    one, other = (
        members(differing.select("row", text=name)).unique(
            ["row", "field"], keep="last", maintain_order=True
        )
        for name in ("snapshot", "then")
    )
    beside = one.select("row", "field", before="json").join(
        other.select("row", "field", after="json"),
        on=["row", "field"],
        how="full",
        coalesce=True,
    )
    types = differing.filter(pl.col("entity_type").ne_missing(pl.col("after_type"))).select(
        "row",
        field=pl.lit("(type)"),
        before=pl.format('"{}"', "entity_type"),
        after=pl.format('"{}"', "after_type"),
    )
    changed = pl.concat([beside.filter(pl.col("before").ne_missing(pl.col("after"))), types])
    kind = (
        pl.when(pl.col("before").is_null())
        .then(pl.lit("new"))
        .when(pl.col("after").is_null())
        .then(pl.lit("gone"))
        .otherwise(pl.lit("changed"))
    )
    return (
        changed.join(differing.select("row", *_OF_ONE), on="row")
        .with_columns(kind=kind)
        .select(*FIELDS)
        .sort("entity_id", "user_id", "field")
    )


def _edges(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    ends = ["relationship_type", *_ENDS]
    gone = before.select(ends).join(after, on=ends, how="anti")
    new = after.select(ends).join(before, on=ends, how="anti")
    return pl.concat(
        [
            gone.with_columns(kind=pl.lit("gone")).select(*EDGES),
            new.with_columns(kind=pl.lit("new")).select(*EDGES),
        ]
    ).sort(*EDGES)
