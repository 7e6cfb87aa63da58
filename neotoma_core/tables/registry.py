"""The registry: which entities exist and how each type reduces. Merged by key."""

from typing import Final

from neotoma_core.tables.shape import Table, integer, text, texts

ENTITIES: Final = Table(
    "entities",
    "registry",
    (
        *texts("id"),
        text("entity_type", required=True),
        text("canonical_name", required=True),
        *texts("aliases", "created_at", "updated_at", "user_id"),
        text("first_seen_at", since="2026-02-24"),
        text("last_seen_at", since="2026-02-24"),
        text("merged_to_entity_id", refers="entities"),
        *texts("merged_at"),
    ),
    stamps=("created_at", "updated_at"),
)

SCHEMA_REGISTRY: Final = Table(
    "schema_registry",
    "registry",
    (
        *texts("id"),
        text("entity_type", required=True),
        text("schema_version", required=True),
        text("schema_definition", required=True),
        text("reducer_config", required=True),
        integer("active"),
        *texts("created_at", "user_id", "scope", "metadata"),
    ),
    match=("entity_type", "schema_version", "scope", "user_id"),
    stamps=("id", "created_at", "metadata", "active"),
    stays=("id", "active"),
)
