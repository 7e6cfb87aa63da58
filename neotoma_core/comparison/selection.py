"""Which entities of a whole copy are meant, and which are another's."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.lineage.merged_away import MergedAway
from neotoma_core.neotoma.ddl import is_among, quote
from neotoma_core.neotoma.frames import empty_rows
from neotoma_core.neotoma.tables import Table
from neotoma_core.sqlite.inspection import StoredTable
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.sqlite.rows import read_rows
from neotoma_core.sqlite.streaming import with_columns

_ID_OF: Final = {
    "entities": "id",
    "observations": "entity_id",
    "entity_snapshots": "entity_id",
}


def entities_matching(
    database: Path, tables: Collection[str], ids: Sequence[str], types: Sequence[str]
) -> pl.Series:
    """Return the entities named or of a type named, wherever among ``tables`` they appear."""
    queries = [
        f"SELECT {key} FROM {quote(table)} "
        f"WHERE {is_among(key, ids)} OR {is_among('entity_type', types)}"
        for table, key in _ID_OF.items()
        if table in tables
    ]
    with closing(connect_read_only(database)) as connection:
        rows = connection.execute(" UNION ".join(queries)).fetchall()
    found = [entity for (entity,) in rows if isinstance(entity, str)]
    return pl.Series("entity_id", found, dtype=pl.String)


def entity_types(database: Path, tables: Collection[str]) -> frozenset[str]:
    """Return the types that entities, observations and snapshots of a whole copy are of."""
    named = [f"SELECT entity_type FROM {quote(table)}" for table in _ID_OF if table in tables]
    with closing(connect_read_only(database)) as connection:
        rows = connection.execute(" UNION ".join(named)).fetchall()
    return frozenset(kind for (kind,) in rows if isinstance(kind, str))


def read_owners(database: Path, tables: Mapping[str, StoredTable], table: Table) -> pl.DataFrame:
    """Return whose the snapshots of a whole copy are: (key, user_id). ``tables``: those it has."""
    (key,) = table.key
    known = with_columns(table, (key, "user_id"))
    if table.name not in tables:
        return empty_rows(known).select(key, "user_id")
    stored = [name for name in known.names if name in tables[table.name].columns]
    return read_rows(database, known, stored).select(key, "user_id").drop_nulls(key)


def read_survivors(database: Path, tables: Collection[str]) -> frozenset[str]:
    """Return the entities of a whole copy that others were merged into."""
    queries = ["SELECT merged_to_entity_id FROM entities WHERE merged_to_entity_id <> ''"]
    if "entity_merges" in tables:
        queries.append("SELECT to_entity_id FROM entity_merges")
    with closing(connect_read_only(database)) as connection:
        rows = connection.execute(" UNION ".join(queries)).fetchall()
    return frozenset(entity for (entity,) in rows if isinstance(entity, str))


def read_merged_away(
    database: Path, tables: Collection[str], only: Collection[str] | None = None
) -> MergedAway:
    """Return the entities of a whole copy that another one stands for, and who merged them.

    ``tables``: those that the copy has. ``only``: those entities only; None for all.
    """
    with closing(connect_read_only(database)) as connection:
        merged = connection.execute(
            "SELECT id, CASE typeof(merged_at) WHEN 'text' THEN merged_at END FROM entities "
            "WHERE typeof(id) = 'text' AND merged_to_entity_id <> '' AND merged_to_entity_id <> id"
        )
        entities = [row for row in merged if only is None or row[0] in only]
        merges = (
            connection.execute(
                "SELECT DISTINCT from_entity_id, user_id FROM entity_merges "
                "WHERE typeof(from_entity_id) = 'text' AND typeof(user_id) = 'text'"
            )
            if "entity_merges" in tables
            else ()
        )
        users = [row for row in merges if only is None or row[0] in only]
    merged_away = MergedAway()
    return MergedAway(
        pl.DataFrame(entities, schema=merged_away.entities.schema, orient="row"),
        pl.DataFrame(users, schema=merged_away.users.schema, orient="row"),
    )
