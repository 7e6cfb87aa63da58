"""Relationship snapshots from observations: the vectorised reducer."""

from typing import Final

import polars as pl

from neotoma_core.neotoma.frames import ROWID, as_javascript_reads, numbers_of
from neotoma_core.reduce.exact.relationships import SCHEMA_VERSION
from neotoma_core.reduce.fields.assembly import assemble
from neotoma_core.reduce.fields.kept import latest_of_each_key
from neotoma_core.reduce.fields.objects import take_apart
from neotoma_core.reduce.fields.ordering import in_order
from neotoma_core.reduce.fields.rules import NO_FIELDS
from neotoma_core.reduce.fields.values import field_values
from neotoma_core.reduce.groups import both, groups_of, where, with_heads
from neotoma_core.reduce.reduction import RELATIONSHIP_SNAPSHOT, Reduction, in_slices
from neotoma_core.reduce.routing import (
    relationships_needing_exact,
    subjects_needing_exact_liveness,
)
from neotoma_core.reduce.rowwise import dead_exactly, reduce_relationships_exactly
from neotoma_core.reduce.tombstones import dead_subjects
from neotoma_core.reduce.users import choose_groups, no_owners

_KEY: Final = "relationship_key"
_ENDS: Final = ("relationship_type", "source_entity_id", "target_entity_id")
_TEXTS: Final = ("id", *_ENDS, "observed_at", "metadata", "user_id", "created_at")
EDGE: Final = (_KEY, *_TEXTS, "source_priority", ROWID)
"""The columns that the reducer reads."""

_NULL: Final = r"^[ \t\r\n]*null[ \t\r\n]*$"


def reduce_relationships(
    observations: pl.DataFrame, owners: pl.DataFrame | None = None, *, now: str
) -> Reduction:
    """Reduce relationship observations to relationship snapshots, one of each relationship.

    Every key takes its latest value that is not null, whatever its priority. Where a key is only
    ever null, or NULL metadata stand next to metadata with keys, Neotoma fails: no snapshot.

    Args:
        observations: ``RelationshipObservation`` as stored, every one of each relationship, in
            any row order; ids are distinct.
        owners: (relationship_key, user_id) of the snapshots that are there; users share
            relationships, and the row stays that of its user. All of them say what is live.
        now: becomes ``computed_at``; Neotoma writes the wall clock.

    Upstream: relationship_reducer.ts, computeRelationshipSnapshot; for users, messy rules, b.
    """
    cells = observations.select(EDGE)
    read = as_javascript_reads(cells, _TEXTS).with_columns(
        source_priority_cell="source_priority",
        source_priority=numbers_of(cells["source_priority"]),
    )
    known = no_owners(_KEY) if owners is None else as_javascript_reads(owners, ["user_id"])
    ordered = in_order(read, _KEY).with_columns(
        is_empty=pl.col("metadata").is_null() | pl.col("metadata").str.contains(_NULL)
    )
    return in_slices(ordered, lambda part: _reduce_slice(part, known, now))


def _reduce_slice(ordered: pl.DataFrame, owners: pl.DataFrame, now: str) -> Reduction:
    """Reduce ordered observations, all those of each relationship."""
    text = pl.when("is_empty").then(pl.lit("{}")).otherwise("metadata")
    objects = take_apart(ordered.select("row", text=text))
    readable = ordered.join(objects.unreadable, on="row", how="anti", maintain_order="left")
    routed = relationships_needing_exact(readable, objects.beyond)
    is_routed = pl.col("group").is_in(routed.implode())
    exact = reduce_relationships_exactly(readable.filter(is_routed), now=now)
    in_bulk = _snapshots(readable.filter(~is_routed), objects.exploded, now)
    reduced = pl.concat([in_bulk, exact])
    unread = ordered.join(readable, on="group", how="anti")["group"].unique()
    chosen, _ = choose_groups(ordered, _KEY, reduced["group"], unread, owners)
    taken = reduced.filter(pl.col("group").is_in(chosen.implode()))
    dead = _dead_keys(readable, objects.exploded, routed)
    snapshots = taken.with_columns(
        is_live=(~pl.col(_KEY).is_in(dead.implode())).cast(pl.Int64)
    ).select(*RELATIONSHIP_SNAPSHOT)
    return Reduction(
        snapshots=snapshots,
        deleted=pl.DataFrame(schema={_KEY: pl.String}),
        unreadable=ordered.join(objects.unreadable, on="row").select(
            _KEY, "reason", observation_id="id"
        ),
        unreduced=ordered.select(pl.col(_KEY).unique()).join(snapshots, on=_KEY, how="anti"),
        schemaless=pl.DataFrame(schema={"entity_type": pl.String, "entities": pl.Int64}),
        exact=len(routed),
    )


def _dead_keys(readable: pl.DataFrame, exploded: pl.DataFrame, routed: pl.Series) -> pl.Series:
    """Return the keys of the relationships that are not live, by all users' observations."""
    of_routed = readable.filter(pl.col("group").is_in(routed.implode()))["subject"]
    exact = pl.concat([of_routed, subjects_needing_exact_liveness(readable)]).unique()
    is_exact = pl.col("subject").is_in(exact.implode())
    dead = pl.concat(
        [
            dead_subjects(readable.filter(~is_exact), exploded),
            dead_exactly(readable.filter(is_exact)),
        ]
    )
    return readable.filter(pl.col("subject").is_in(dead.implode()))[_KEY].unique()


def _snapshots(observations: pl.DataFrame, exploded: pl.DataFrame, now: str) -> pl.DataFrame:
    """Return the snapshots of the relationships on which Neotoma does not fail."""
    ruled = observations.select(
        "row", "group", "source", contested=pl.lit(value=True), schema=pl.lit(None, dtype=pl.UInt32)
    )
    stated = field_values(ruled, exploded, NO_FIELDS)
    latest, only_null = latest_of_each_key(stated.values)
    empty = where(observations, pl.col("is_empty"))
    failing = pl.concat([only_null, both(latest["group"], empty)])
    latest_first = groups_of(observations, _KEY, *_ENDS, "user_id", "observed_at")
    return (
        with_heads(latest_first, observations, _ENDS, "latest")
        .filter(~pl.col("group").is_in(failing.implode()))
        .join(assemble(latest, stated.keys), on="group", how="left")
        .with_columns(
            pl.col("snapshot", "provenance").fill_null("{}"),
            schema_version=pl.lit(SCHEMA_VERSION),
            computed_at=pl.lit(now),
            last_observation_at="observed_at",
            is_live=pl.lit(1, dtype=pl.Int64),
        )
        .select("group", *RELATIONSHIP_SNAPSHOT)
    )
