"""The log: what was observed, from what, and what was done to it. Merged by key."""

from typing import Final

from neotoma_core.neotoma.tables.shape import Index, Table, integer, real, text, texts

SOURCES: Final = Table(
    "sources",
    "log",
    (
        *texts("id", "user_id", "content_hash", "mime_type", "storage_url"),
        integer("file_size"),
        *texts("original_filename"),
        text("source_type", since="2026-02-18"),
        *texts("provenance", "created_at"),
        text("idempotency_key", since="2026-02-10"),
        text("storage_mode", required=True, default="'inline'", since="v0.18.0"),
        text("reference_path", since="v0.18.0"),
        text("host_id", since="v0.18.0"),
        integer("size_bytes", since="v0.18.0"),
        text("mtime", since="v0.18.0"),
    ),
    stamps=("created_at", "provenance"),
    indexes=(
        Index(
            "idx_sources_content_hash_user",
            ("content_hash", "user_id"),
            unique=True,
            only_not_null=True,
        ),
    ),
)

INTERPRETATIONS: Final = Table(
    "interpretations",
    "log",
    (
        *texts("id"),
        text("source_id", refers="sources"),
        *texts("interpretation_config", "status", "started_at", "completed_at"),
        integer("observations_created"),
        text("user_id", since="2026-02-10"),
        text("created_at", since="2026-02-10"),
        text("error_message", since="2026-02-10"),
        integer("unknown_fields_count", since="2026-02-10"),
        text("provenance", since="v0.6.0"),
    ),
)

OBSERVATIONS: Final = Table(
    "observations",
    "log",
    (
        *texts("id"),
        text("entity_id", required=True, refers="entities"),
        text("entity_type", required=True),
        text("schema_version", required=True),
        text("source_id", refers="sources"),
        text("interpretation_id", refers="interpretations"),
        text("observed_at", required=True),
        real("specificity_score"),
        integer("source_priority"),
        text("observation_source", since="v0.6.0"),
        text("fields", sealed=True),
        *texts("created_at", "user_id"),
        text("idempotency_key", since="2026-02-10"),
        text("canonical_hash", since="2026-02-10"),
        text("identity_basis", since="v0.5.0"),
        text("identity_rule", since="v0.5.0"),
        text("provenance", since="v0.6.0"),
        text("source_peer_id", since="v0.12.0"),
        text("canonical_key", since="v0.17.0"),
        text("sighting_source_id", since="v0.17.0", refers="sources"),
    ),
    stamps=("observed_at", "created_at"),
    indexes=(
        Index("idx_observations_entity_id", ("entity_id", "source_priority", "observed_at")),
        Index("idx_observations_sighting_key", ("sighting_source_id", "canonical_key", "user_id")),
        Index("idx_observations_canonical_key", ("canonical_key", "user_id")),
    ),
)

RELATIONSHIP_OBSERVATIONS: Final = Table(
    "relationship_observations",
    "log",
    (
        *texts("id"),
        text("relationship_key", required=True),
        text("relationship_type", required=True),
        text("source_entity_id", required=True, refers="entities"),
        text("target_entity_id", required=True, refers="entities"),
        text("source_id", refers="sources"),
        text("interpretation_id", refers="interpretations"),
        *texts("observed_at"),
        real("specificity_score"),
        integer("source_priority"),
        *texts("metadata", "canonical_hash", "created_at", "user_id"),
        text("provenance", since="v0.6.0"),
    ),
    stamps=("observed_at", "created_at"),
)

RAW_FRAGMENTS: Final = Table(
    "raw_fragments",
    "log",
    (
        *texts("id"),
        text("source_id", refers="sources"),
        text("interpretation_id", refers="interpretations"),
        text("entity_id", since="v0.11.0", refers="entities"),
        text("entity_type", required=True),
        text("fragment_key", required=True),
        text("fragment_value", sealed=True),
        text("fragment_envelope", sealed=True),
        integer("frequency_count"),
        *texts("first_seen", "last_seen", "user_id", "created_at"),
    ),
    stamps=("frequency_count", "last_seen"),
)

ENTITY_MERGES: Final = Table(
    "entity_merges",
    "log",
    (
        *texts("id", "user_id"),
        text("from_entity_id", refers="entities"),
        text("to_entity_id", refers="entities"),
        *texts("reason", "merged_by"),
        integer("observations_rewritten"),
        *texts("created_at"),
    ),
)

ENTITY_SPLITS: Final = Table(
    "entity_splits",
    "log",
    (
        *texts("id", "user_id"),
        text("source_entity_id", refers="entities"),
        text("new_entity_id", refers="entities"),
        *texts("predicate", "reason", "split_by"),
        integer("observations_rewritten"),
        *texts("idempotency_key", "created_at"),
    ),
    indexes=(
        Index("entity_splits_user_idempotency_unique", ("user_id", "idempotency_key"), unique=True),
    ),
    since="v0.6.0",
)

TIMELINE_EVENTS: Final = Table(
    "timeline_events",
    "log",
    (
        *texts("id"),
        text("event_type", required=True),
        text("event_timestamp", required=True),
        text("event_date", since="2026-02-24"),
        text("source_id", refers="sources"),
        *texts("source_field"),
        text("entity_id", since="2026-02-10", refers="entities"),
        *texts("created_at", "user_id"),
        text("provenance", since="v0.6.0"),
    ),
    stamps=("created_at",),
)

SOURCE_ENTITY_EDGES: Final = Table(
    "source_entity_edges",
    "log",
    (
        *texts("id"),
        text("source_id", required=True, refers="sources"),
        text("entity_id", required=True, refers="entities"),
        *texts("edge_type", "created_at", "user_id"),
    ),
)

SOURCE_EVENT_EDGES: Final = Table(
    "source_event_edges",
    "log",
    (
        *texts("id"),
        text("source_id", required=True, refers="sources"),
        text("event_id", required=True, refers="timeline_events"),
        *texts("edge_type", "created_at", "user_id"),
    ),
)
