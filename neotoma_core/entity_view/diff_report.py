"""How two databases differ, as a report: counted by type, then one by one up to a limit."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.entity_view.differences import Differences
from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding

_KINDS: Final = ("gone", "new", "changed")


@dataclass(frozen=True, slots=True)
class TypeDifference:
    """How many entities of one type differ."""

    entity_type: str
    gone: int
    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field that is gone, new or changed; values only where they were asked for, as JSON."""

    field: str
    kind: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class EntityDifference:
    """One entity of one user that is gone, new or changed."""

    kind: str
    entity: str
    entity_type: str
    user: str | None
    reason: str | None
    fields: tuple[FieldDifference, ...]


@dataclass(frozen=True, slots=True)
class EdgeDifference:
    """How many relationships of one type are gone or new."""

    relationship: str
    gone: int
    new: int


@dataclass(frozen=True, slots=True)
class DiffReport:
    """``before`` and ``after``: what was compared. ``rules``: by which both were reduced.

    ``entities``: the first of them; ``left_off``: how many more there are.
    """

    before: str
    after: str
    rules: str
    types: tuple[TypeDifference, ...]
    edges: tuple[EdgeDifference, ...]
    entities: tuple[EntityDifference, ...]
    left_off: int
    parquet: str | None
    findings: tuple[Finding, ...]

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def types_of(found: Differences) -> tuple[TypeDifference, ...]:
    """Count the entities of each type; those with the most differences first."""
    counts = found.entities.group_by("entity_type").agg(
        *((pl.col("kind") == kind).sum().cast(pl.Int64).alias(kind) for kind in _KINDS)
    )
    every = counts.join(
        found.unchanged.rename({"entities": "unchanged"}),
        on="entity_type",
        how="full",
        coalesce=True,
    ).with_columns(pl.col(*_KINDS, "unchanged").fill_null(0))
    ordered = every.sort(pl.sum_horizontal(_KINDS), "entity_type", descending=[True, False]).select(
        "entity_type", *_KINDS, "unchanged"
    )
    return tuple(TypeDifference(*row) for row in ordered.iter_rows())


def edges_of(found: Differences) -> tuple[EdgeDifference, ...]:
    """Count the relationships of each type that are gone or new."""
    counts = (
        found.edges.group_by("relationship_type")
        .agg(gone=(pl.col("kind") == "gone").sum(), new=(pl.col("kind") == "new").sum())
        .sort("relationship_type")
    )
    return tuple(EdgeDifference(*row) for row in counts.iter_rows())


def entities_of(
    found: Differences, limit: int, *, values: bool
) -> tuple[tuple[EntityDifference, ...], int]:
    """Return the first differing entities, changed ones first, and how many more there are."""
    order = pl.col("kind").replace_strict(("changed", "gone", "new"), (0, 1, 2))
    first = found.entities.sort(order, maintain_order=True).head(limit)
    fields = found.fields.join(
        first.select("entity_id", "user_id"),
        on=["entity_id", "user_id"],
        how="semi",
        nulls_equal=True,
        maintain_order="left",
    )
    of: dict[tuple[str, str | None], list[FieldDifference]] = {}
    for entity, user, *cells in fields.iter_rows():
        field, kind, before, after = cells
        shown = (before, after) if values else (None, None)
        of.setdefault((entity, user), []).append(FieldDifference(field, kind, *shown))
    listed = tuple(
        EntityDifference(kind, entity, of_type, user, reason, tuple(of.get((entity, user), ())))
        for kind, entity, of_type, user, reason in first.iter_rows()
    )
    return listed, found.entities.height - first.height


def as_table(found: Differences, *, values: bool) -> pl.DataFrame:
    """Return every difference as one table: a row per field, per entity without, per edge."""
    about = found.entities.rename({"kind": "entity_kind"})
    fields = found.fields.rename({"kind": "field_kind"})
    entities = about.join(
        fields, on=["entity_id", "user_id"], how="left", nulls_equal=True, maintain_order="left"
    ).select(
        what=pl.lit("entity"),
        kind="entity_kind",
        type="entity_type",
        entity_id="entity_id",
        other_entity_id=pl.lit(None, pl.String),
        user_id="user_id",
        reason="reason",
        field="field",
        field_kind="field_kind",
        before="before",
        after="after",
    )
    edges = found.edges.select(
        what=pl.lit("edge"),
        kind="kind",
        type="relationship_type",
        entity_id="source_entity_id",
        other_entity_id="target_entity_id",
    )
    table = pl.concat([entities, edges], how="diagonal")
    return table if values else table.drop("before", "after")
