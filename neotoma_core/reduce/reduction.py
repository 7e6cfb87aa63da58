"""What a reduction returns."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from neotoma_core.reduce.fields.ordering import slices

_SLICE_ROWS: Final = 150_000
_WORKERS: Final = 4


FAILED: Final = {"entity_id": pl.String, "reason": pl.String}


@dataclass(frozen=True, slots=True)
class Reduction:
    """Snapshots of the observations reduced, and what has none.

    Attributes:
        snapshots: ``EntitySnapshot`` or ``RelationshipSnapshot``, one row each.
        deleted: (entity_id) of the entities whose observations end in a tombstone; they have no
            snapshot. Empty for relationships.
        unreadable: (observation_id, entity_id or relationship_key, reason): observations left out
            because their fields are not a JSON object.
        unreduced: (entity_id or relationship_key) of what has observations but no snapshot.
        failed: ``FAILED``: the entities among those for which Neotoma's own reduction throws.
        schemaless: (entity_type, entities): types reduced by the rules for types without schema.
        exact: how many entities or relationships were left to the exact, row-wise reducer.
    """

    snapshots: pl.DataFrame
    deleted: pl.DataFrame
    unreadable: pl.DataFrame
    unreduced: pl.DataFrame
    schemaless: pl.DataFrame
    exact: int
    failed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FAILED))


ENTITY_SNAPSHOT = {
    "entity_id": pl.String,
    "entity_type": pl.String,
    "schema_version": pl.String,
    "canonical_name": pl.String,
    "snapshot": pl.String,
    "computed_at": pl.String,
    "observation_count": pl.Int64,
    "last_observation_at": pl.String,
    "provenance": pl.String,
    "user_id": pl.String,
}

RELATIONSHIP_SNAPSHOT = {
    "relationship_key": pl.String,
    "relationship_type": pl.String,
    "source_entity_id": pl.String,
    "target_entity_id": pl.String,
    "schema_version": pl.String,
    "snapshot": pl.String,
    "computed_at": pl.String,
    "observation_count": pl.Int64,
    "last_observation_at": pl.String,
    "provenance": pl.String,
    "user_id": pl.String,
    "is_live": pl.Int64,
}


def in_slices(
    ordered: pl.DataFrame, reduce_slice: Callable[[pl.DataFrame], Reduction]
) -> Reduction:
    """Reduce ordered observations slice by slice, a few at a time.

    What a slice needs while it is reduced is several times its size, so slices bound the memory;
    and much of the work on one column keeps only one processor busy.
    """
    workers = min(_WORKERS, pl.thread_pool_size())
    with ThreadPoolExecutor(workers) as pool:
        return _concat(list(pool.map(reduce_slice, slices(ordered, _SLICE_ROWS))))


def _concat(parts: list[Reduction]) -> Reduction:
    types = pl.concat([part.schemaless for part in parts])
    return Reduction(
        snapshots=pl.concat([part.snapshots for part in parts]),
        deleted=pl.concat([part.deleted for part in parts]),
        unreadable=pl.concat([part.unreadable for part in parts]),
        unreduced=pl.concat([part.unreduced for part in parts]),
        schemaless=types.group_by("entity_type").agg(pl.col("entities").sum()).sort("entity_type"),
        exact=sum(part.exact for part in parts),
        failed=pl.concat([part.failed for part in parts]),
    )
