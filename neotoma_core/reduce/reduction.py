"""What a reduction returns."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Reduction:
    """Snapshots of the observations reduced, and what has none.

    Attributes:
        snapshots: ``EntitySnapshot`` or ``RelationshipSnapshot``, one row each.
        deleted: (entity_id) of the entities whose observations end in a tombstone; they have no
            snapshot. Empty for relationships.
        unreadable: (observation_id, entity_id or relationship_key, reason): observations left out
            because their fields are no JSON object.
        unreduced: (entity_id or relationship_key) of what has observations but no snapshot.
        schemaless: (entity_type, entities): types reduced by the rules for types without schema.
        exact: how many entities or relationships were left to the exact, row-wise reducer.
    """

    snapshots: pl.DataFrame
    deleted: pl.DataFrame
    unreadable: pl.DataFrame
    unreduced: pl.DataFrame
    schemaless: pl.DataFrame
    exact: int


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
