"""Every table of a Neotoma database, stated once.

Source: the tables of the released versions, as a fresh database shows them (format, section 1).
"""

from typing import Final

from neotoma_core.neotoma.tables import derived, log, operational, personal, registry, secret
from neotoma_core.neotoma.tables.shape import Column, Index, Kind, Table

__all__ = ["BY_NAME", "MERGED", "SECRET", "TABLES", "Column", "Index", "Kind", "Table", "kind_of"]

# The order of a merge: what is referred to comes before what refers to it.
TABLES: Final = (
    log.SOURCES,
    log.INTERPRETATIONS,
    registry.ENTITIES,
    registry.SCHEMA_REGISTRY,
    registry.RELATIONSHIP_TYPE_REGISTRY,
    log.OBSERVATIONS,
    log.RELATIONSHIP_OBSERVATIONS,
    log.RAW_FRAGMENTS,
    log.ENTITY_MERGES,
    log.ENTITY_SPLITS,
    log.TIMELINE_EVENTS,
    log.SOURCE_ENTITY_EDGES,
    log.SOURCE_EVENT_EDGES,
    derived.ENTITY_SNAPSHOTS,
    derived.RELATIONSHIP_SNAPSHOTS,
    derived.ENTITY_EMBEDDING_ROWS,
    operational.SUBSTRATE_EVENTS,
    operational.AUTO_ENHANCEMENT_QUEUE,
    operational.SCHEMA_RECOMMENDATIONS,
    operational.FIELD_BLACKLIST,
    operational.OVERFLOW_EVENTS,
    secret.AUTH_USERS,
    secret.AUTH_SESSIONS,
    secret.LOCAL_AUTH_USERS,
    secret.SANDBOX_SESSIONS,
    secret.MCP_OAUTH_STATE,
    secret.MCP_OAUTH_CONNECTIONS,
    secret.MCP_OAUTH_CODES,
    secret.MCP_OAUTH_CLIENT_STATE,
    personal.MEMBER_ATTRIBUTION_IDS,
)
BY_NAME: Final = {table.name: table for table in TABLES}
MERGED: Final = tuple(table for table in TABLES if table.merged)
SECRET: Final = tuple(table for table in TABLES if table.kind == "secret")

# The vector index and what SQLite keeps for itself: derived, and unreadable without its extension.
_DERIVED_ELSEWHERE: Final = ("entity_embeddings_vec", "sqlite_")


def kind_of(name: str) -> Kind | None:
    """Return what kind of table ``name`` is; None for a table that Neotoma does not know."""
    if name in BY_NAME:
        return BY_NAME[name].kind
    return "derived" if name.startswith(_DERIVED_ELSEWHERE) else None
