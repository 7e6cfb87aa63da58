"""Which entities of a whole copy are meant, and which are another's."""

from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.canonical import stringify
from neotoma_core.ddl import quoted
from neotoma_core.store.databases import connect_read_only

_ID_OF: Final = {
    "entities": "id",
    "observations": "entity_id",
    "entity_snapshots": "entity_id",
}


def entities_matching(
    database: Path, tables: Collection[str], ids: Sequence[str], types: Sequence[str]
) -> pl.Series:
    """Return the entities named or of a type named, wherever among ``tables`` they appear."""
    wanted = {"id": stringify(list(ids)), "type": stringify(list(types))}
    queries = [
        f"SELECT {key} FROM {quoted(table)} WHERE {key} IN (SELECT value FROM json_each(:id)) "
        "OR entity_type IN (SELECT value FROM json_each(:type))"
        for table, key in _ID_OF.items()
        if table in tables
    ]
    with closing(connect_read_only(database)) as connection:
        rows = connection.execute(" UNION ".join(queries), wanted).fetchall()
    found = [entity for (entity,) in rows if isinstance(entity, str)]
    return pl.Series("entity_id", found, dtype=pl.String)


def merged_entities(database: Path) -> pl.DataFrame:
    """Return (entity_id, merged_at) of the entities that another one stands for."""
    with closing(connect_read_only(database)) as connection:
        rows = connection.execute(
            "SELECT id, CASE typeof(merged_at) WHEN 'text' THEN merged_at END FROM entities "
            "WHERE typeof(id) = 'text' AND merged_to_entity_id <> '' AND merged_to_entity_id <> id"
        ).fetchall()
    schema = {"entity_id": pl.String, "merged_at": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")
