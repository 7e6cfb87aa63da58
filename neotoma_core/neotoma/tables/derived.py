"""Derived tables: never merged, recomputed from the log (or rebuilt by Neotoma)."""

from typing import Final

from neotoma_core.neotoma.tables.shape import Index, Table, integer, text, texts

ENTITY_SNAPSHOTS: Final = Table(
    "entity_snapshots",
    "derived",
    (
        text("entity_id", refers="entities"),
        text("entity_type", required=True),
        text("schema_version", required=True),
        text("canonical_name", since="2026-02-24"),
        text("snapshot", sealed=True),
        *texts("computed_at"),
        integer("observation_count"),
        *texts("last_observation_at"),
        text("provenance", sealed=True),
        *texts("user_id"),
    ),
    key=("entity_id",),
    indexes=(
        Index(
            "idx_entity_snapshots_user_type",
            ("user_id", "entity_type", "entity_id"),
            since="v0.22.2",
        ),
    ),
)

RELATIONSHIP_SNAPSHOTS: Final = Table(
    "relationship_snapshots",
    "derived",
    (
        *texts("relationship_key"),
        text("relationship_type", required=True),
        text("source_entity_id", required=True, refers="entities"),
        text("target_entity_id", required=True, refers="entities"),
        text("schema_version", required=True),
        text("snapshot", sealed=True),
        *texts("computed_at"),
        integer("observation_count"),
        *texts("last_observation_at"),
        text("provenance", sealed=True),
        *texts("user_id"),
        integer("is_live", required=True, default="1", since="v0.16.0"),
    ),
    key=("relationship_key",),
    indexes=(
        Index("idx_rel_snapshots_target_user_live", ("target_entity_id", "user_id", "is_live")),
        Index("idx_rel_snapshots_source_user_live", ("source_entity_id", "user_id", "is_live")),
        Index("idx_rel_snapshots_target_user", ("target_entity_id", "user_id")),
        Index("idx_rel_snapshots_source_user", ("source_entity_id", "user_id")),
    ),
)

ENTITY_EMBEDDING_ROWS: Final = Table(
    "entity_embedding_rows",
    "derived",
    (
        integer("rowid"),
        text("entity_id", required=True, refers="entities"),
        text("user_id", required=True),
        text("entity_type", required=True),
        integer("merged", default="0"),
    ),
    key=("rowid",),
    unique=(("entity_id",),),
    since="2026-02-18",
)
