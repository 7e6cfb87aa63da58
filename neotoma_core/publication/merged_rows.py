"""Rows on entities that another one stands for: facts about a database, for proofs."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final

from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.sqlite.migration import names_of_columns

Zombies = Mapping[str, frozenset[str]]
"""By table, the keys of the rows on a merged-away entity."""

NONE: Final[Zombies] = {}

_ENDS: Final = {
    "observations": ("entity_id",),
    "relationship_observations": ("source_entity_id", "target_entity_id"),
    "entity_snapshots": ("entity_id",),
    "relationship_snapshots": ("source_entity_id", "target_entity_id"),
}
_POINTING: Final = (
    "merged_to_entity_id <> id AND id IS NOT NULL "
    "AND merged_to_entity_id IN (SELECT id FROM main.entities WHERE id <> '')"
)
"""A pointer to an entity that is not there takes nothing along: it stands for nothing."""


def read_pointers(connection: sqlite3.Connection) -> dict[str, str]:
    """Return who stands for each merged-away entity, as cells."""
    rows = connection.execute(
        f"SELECT id, merged_to_entity_id FROM main.entities WHERE {_POINTING}"
    )
    return {str(entity): str(survivor) for entity, survivor in rows}


def find_zombies(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """Return the rows that are still on a merged-away entity.

    A merge moves the rows of whoever merges, as its audit row says; those of others stay, and are
    not among these (messy rules, b). Without an audit row that names a user, it moves everybody's.
    """
    if not read_pointers(connection):
        return {}
    audited = bool(names_of_columns(connection, "entity_merges"))
    return {
        name: frozenset(key for end in ends for key in _on(connection, name, end, audited=audited))
        for name, ends in _ENDS.items()
        if names_of_columns(connection, name)
    }


def _on(connection: sqlite3.Connection, name: str, end: str, *, audited: bool) -> Iterator[str]:
    (key,) = BY_NAME[name].key
    mine = "true"
    if audited:
        audit = (
            "SELECT 1 FROM main.entity_merges AS audit WHERE audit.from_entity_id = gone.id "
            "AND audit.to_entity_id = gone.merged_to_entity_id AND audit.user_id IS NOT NULL"
        )
        mine = f"(NOT EXISTS ({audit}) OR EXISTS ({audit} AND audit.user_id IS there.user_id))"
    rows = connection.execute(
        f"SELECT there.{quote(key)} FROM main.{quote(name)} AS there "
        f"JOIN (SELECT id, merged_to_entity_id FROM main.entities WHERE {_POINTING}) AS gone "
        f"ON gone.id = there.{quote(end)} WHERE {mine}"
    )
    return (str(found) for (found,) in rows)
