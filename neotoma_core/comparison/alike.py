"""Which rows two whole copies have alike, cell for cell. SQLite tells, so that none need be read.

Rows are called by their numbers. A row of another number but the same key is the same row; first
asked is whether it has the same number, since the tables are then walked through side by side.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import Table
from neotoma_core.sqlite.untrusted import attach, connect, guard_connection

_MAPPED_BYTES: Final = 1 << 31
MERGED_AWAY: Final = (
    "SELECT from_entity_id FROM target.entity_merges WHERE from_entity_id IS NOT NULL "
    "UNION SELECT id FROM target.entities WHERE merged_to_entity_id <> '' AND id IS NOT NULL"
)
"""The entities of the target that another one stands for."""
SURVIVORS: Final = (
    "SELECT to_entity_id FROM target.entity_merges "
    "UNION SELECT new_entity_id FROM target.entity_splits "
    "UNION SELECT merged_to_entity_id FROM target.entities WHERE merged_to_entity_id <> ''"
)
"""The entities of the target that stand for others, or were split off them."""


@contextmanager
def side_by_side(backup: Path, target: Path) -> Iterator[sqlite3.Connection]:
    """Open two whole copies for reading, as ``backup`` and ``target``."""
    with closing(connect(":memory:", uri=True)) as connection:
        guard_connection(connection)
        for name, path in (("backup", backup), ("target", target)):
            uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
            attach(connection, name, uri)
            connection.execute(f"PRAGMA {name}.mmap_size = {_MAPPED_BYTES}").fetchone()
        yield connection


def unlike_rows(
    connection: sqlite3.Connection, table: Table, columns: Sequence[str], also: str
) -> pl.Series:
    """Return ``_rowid`` of the backup's rows that the target does not have alike.

    ``columns``: those that both databases have. ``also``: which rows count in any case, as a
    condition on ``backup``.
    """
    (key,) = table.key
    name, rowid = quote(table.name), table.rowid
    same = " AND ".join(f"backup.{quote(c)} IS target.{quote(c)}" for c in columns)
    is_alike = f"coalesce(backup.{quote(key)} IS NOT NULL AND {same}, 0) AND NOT ({also})"
    connection.execute("DROP TABLE IF EXISTS temp.unlike")
    connection.execute(
        f"CREATE TEMP TABLE unlike AS SELECT backup.{rowid} AS n FROM backup.{name} AS backup "
        f"LEFT JOIN target.{name} AS target ON target.{rowid} = backup.{rowid} "
        f"WHERE NOT ({is_alike})"
    )
    # CROSS JOIN keeps SQLite from walking through a large table for the sake of a few rows.
    rows = connection.execute(
        f"SELECT n FROM temp.unlike WHERE n NOT IN (SELECT unlike.n FROM temp.unlike "
        f"CROSS JOIN backup.{name} AS backup ON backup.{rowid} = unlike.n "
        f"CROSS JOIN target.{name} AS target ON target.{quote(key)} = backup.{quote(key)} "
        f"WHERE {is_alike})"
    )
    return pl.Series(ROWID, [n for (n,) in rows], dtype=pl.Int64).sort()


def has_all(connection: sqlite3.Connection, name: str, columns: Sequence[str]) -> bool:
    """Return whether for every row of the backup's table the target has one like it.

    ``columns``: in which they are compared.
    """
    table = quote(name)
    same = " AND ".join(f"target.{quote(c)} IS backup.{quote(c)}" for c in columns)
    (lacking,) = connection.execute(
        f"SELECT EXISTS (SELECT 1 FROM backup.{table} AS backup WHERE NOT EXISTS "
        f"(SELECT 1 FROM target.{table} AS target WHERE {same}))"
    ).fetchone()
    return not lacking


def has_all_pointers(connection: sqlite3.Connection) -> bool:
    """Return whether the target knows of every entity that another one stands for in the backup."""
    (lacking,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM backup.entities AS backup WHERE merged_to_entity_id <> '' "
        "AND NOT EXISTS (SELECT 1 FROM target.entities AS target WHERE target.id = backup.id "
        "AND target.merged_to_entity_id IS backup.merged_to_entity_id "
        "AND target.merged_at IS backup.merged_at))"
    ).fetchone()
    return not lacking


def find_touched_rows(
    connection: sqlite3.Connection,
    table: Table,
    keys: Sequence[Sequence[str]],
    offered: pl.DataFrame,
    also: Sequence[str],
) -> pl.Series:
    """Return ``_rowid`` of the target's rows that have a key of an offered row, or none at all.

    ``keys``: the primary key and further unique ones, all columns of ``offered``. ``also``: which
    rows count in any case, as conditions on ``target``.
    """
    name, columns = quote(table.name), sorted({column for key in keys for column in key})
    connection.execute("DROP TABLE IF EXISTS temp.offered")
    connection.execute(f"CREATE TEMP TABLE offered ({', '.join(map(quote, columns))})")
    connection.execute("BEGIN")
    marks = ", ".join("?" * len(columns))
    connection.executemany(
        f"INSERT INTO offered VALUES ({marks})", offered.select(columns).iter_rows()
    )
    connection.execute("COMMIT")
    parts = [
        f"SELECT target.{table.rowid} FROM temp.offered CROSS JOIN target.{name} AS target ON "
        + " AND ".join(f"target.{quote(c)} = offered.{quote(c)}" for c in key)
        for key in keys
    ]
    (primary,) = table.key
    conditions = (f"target.{quote(primary)} IS NULL", *also)
    parts += [
        f"SELECT target.{table.rowid} FROM target.{name} AS target WHERE {condition}"
        for condition in conditions
    ]
    rows = connection.execute(" UNION ".join(parts))
    return pl.Series(ROWID, [n for (n,) in rows], dtype=pl.Int64).sort()


def merges_entities(connection: sqlite3.Connection) -> bool:
    """Return whether the target knows of any entity that another one stands for."""
    return connection.execute(f"{MERGED_AWAY} LIMIT 1").fetchone() is not None
