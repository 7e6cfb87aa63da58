"""Operational tables: queues and events of one running server. Left alone unless asked."""

from typing import Final

from neotoma_core.neotoma.tables.shape import Index, Table, integer, real, text, texts

SUBSTRATE_EVENTS: Final = Table(
    "substrate_events",
    "operational",
    (
        integer("seq"),
        *texts("ring_id"),
        text("event_type", required=True),
        *texts("user_id"),
        text("entity_id", refers="entities"),
        text("payload", required=True, sealed=True),
        text("created_at", required=True),
    ),
    key=("seq",),
    indexes=(
        Index("idx_substrate_events_created", ("created_at",)),
        Index("idx_substrate_events_user_seq", ("user_id", "seq")),
    ),
    autoincrement=True,
    since="v0.16.0",
)

AUTO_ENHANCEMENT_QUEUE: Final = Table(
    "auto_enhancement_queue",
    "operational",
    (
        *texts("id", "entity_type"),
        text("fragment_key", since="2026-02-24"),
        integer("frequency_count", since="2026-02-24"),
        real("confidence_score", since="2026-02-24"),
        integer("priority", default="100", since="2026-02-24"),
        integer("retry_count", default="0", since="2026-02-24"),
        text("processed_at", since="2026-02-24"),
        text("last_retry_at", since="2026-02-24"),
        text("error_message", since="2026-02-24"),
        *texts("field_name", "field_type"),
        text("payload", sealed=True),
        *texts("status"),
        integer("attempt_count"),
        *texts("last_attempt_at", "error", "created_at", "updated_at", "user_id"),
        text("job_type", default="'auto_enhance'", since="v0.13.0"),
    ),
)

SCHEMA_RECOMMENDATIONS: Final = Table(
    "schema_recommendations",
    "operational",
    (
        *texts("id"),
        text("entity_type", required=True),
        *texts("user_id", "source", "recommendation_type"),
        real("confidence_score"),
        *texts("status", "applied_at", "idempotency_key"),
        integer("can_rollback"),
        text("fields_to_add", sealed=True),
        text("fields_to_remove", sealed=True),
        text("fields_to_modify", sealed=True),
        text("converters_to_add", sealed=True),
        *texts("created_at", "updated_at"),
    ),
)

FIELD_BLACKLIST: Final = Table(
    "field_blacklist",
    "operational",
    (
        *texts("id"),
        text("entity_type", required=True),
        text("field_name", required=True),
        *texts("reason", "created_at", "user_id"),
    ),
)

OVERFLOW_EVENTS: Final = Table(
    "overflow_events",
    "operational",
    (
        *texts("id", "user_id"),
        text("sink_path", required=True),
        integer("line_offset", required=True),
        text("payload", required=True),
        *texts("reason"),
        text("created_at", required=True),
    ),
    since="v0.17.0",
)
