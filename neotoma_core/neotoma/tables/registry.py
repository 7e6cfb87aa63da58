"""The registry: which entities exist, how each type reduces, how they relate. Merged by key."""

from typing import Final

from neotoma_core.neotoma.tables.shape import Index, Table, integer, text, texts

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

# Neotoma only ever adds to it. Its built-in types are the same everywhere but for when they were
# seeded (format delta, B).
RELATIONSHIP_TYPE_REGISTRY: Final = Table(
    "relationship_type_registry",
    "registry",
    (
        *texts("id"),
        text("relationship_type", required=True),
        text("registry_version", required=True),
        text("definition", required=True),
        text("state", required=True),
        *texts("created_at", "created_by", "user_id", "scope", "metadata"),
    ),
    stamps=("created_at",),
    indexes=(
        Index(
            "idx_rel_type_registry_resolve",
            ("relationship_type", "scope", "user_id", "created_at"),
        ),
        Index(
            "idx_rel_type_registry_unique",
            ("relationship_type", "scope", "user_id", "registry_version"),
            unique=True,
        ),
    ),
    since="v0.24.0",
)
