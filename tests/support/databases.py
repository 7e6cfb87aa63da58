"""Small Neotoma databases for tests, built from the table facts."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from neotoma_core.neotoma.ddl import create_database
from neotoma_core.neotoma.versions import release_of

USER = "00000000-0000-0000-0000-000000000000"
Row = Mapping[str, object]


def make_database(path: Path, tables: Mapping[str, Iterable[Row]] | None = None) -> Path:
    """Create a database with the given rows, of the oldest release that has their tables."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in create_database(release_of(tables or {})):
            connection.execute(statement)
    insert_all(path, tables or {})
    return path


def insert_all(path: Path, tables: Mapping[str, Iterable[Row]]) -> None:
    """Insert rows into a database that is there."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, rows in tables.items():
            for row in rows:
                insert(connection, table, row)


def insert(connection: sqlite3.Connection, table: str, row: Row) -> None:
    """Insert one row, columns by name."""
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


def entity(identifier: str, **cells: object) -> Row:
    return {
        "id": identifier,
        "entity_type": "note",
        "canonical_name": identifier,
        "user_id": USER,
        "created_at": "2026-02-01T00:00:00.000Z",
        **cells,
    }


def observation(identifier: str, owner: str = "e1", **cells: object) -> Row:
    return {
        "id": identifier,
        "entity_id": owner,
        "entity_type": "note",
        "schema_version": "1.0",
        "observed_at": "2026-02-01T00:00:00.000Z",
        "source_priority": 100,
        "fields": f'{{"title":"{identifier}"}}',
        "created_at": "2026-02-01T00:00:00.000Z",
        "user_id": USER,
        **cells,
    }


def source(identifier: str, **cells: object) -> Row:
    return {"id": identifier, "user_id": USER, "content_hash": f"hash-{identifier}", **cells}


def loosen(path: Path, table: str) -> None:
    """Take the rules of a table away, as a damaged or hand-made copy may lack them; rows stay."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"ALTER TABLE loose RENAME TO {table}")


def read_all(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table with the storage class of each cell."""
    tables = {}
    # Not read-only: SQLite must be able to undo what a killed writer left half done.
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
        connection.text_factory = bytes
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        ).fetchall()
        for (raw,) in names:
            name = raw.decode()
            rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()
            tables[name] = sorted(rows, key=repr)
    return tables


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(rows)
