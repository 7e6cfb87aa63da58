"""The staging database: everything a publication will write, gathered before the target is locked.

It lies in the run's scratch and may be lost at any time. Columns have no declared type, so cells
stay exactly as the backups store them. Its tables:

insert_<table>   log rows to add: the columns to write, ``_place`` (order of insertion)
replace_<table>  log rows to put in the place of others: the columns, ``_target_rowid``
write_<table>    derived rows to add or replace, by key
remove_<table>   keys of derived rows to delete
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.ddl import column_list, quoted
from neotoma_core.frames import ORIGIN, ROWID, TARGET_ROWID
from neotoma_core.store.arrow_sqlite import arrow_connection, execute, ingest
from neotoma_core.tables import BY_NAME

PLACE: Final = "_place"


@dataclass(frozen=True, slots=True)
class RowSource:
    """A whole copy that rows are taken from, and the columns each of its tables has."""

    database: Path
    columns: Mapping[str, frozenset[str]]


@contextmanager
def new_staging(path: Path) -> Iterator[sqlite3.Connection]:
    """Create the staging database, anew; nothing in it needs to survive a crash."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, uri=True)
    try:
        connection.execute("PRAGMA journal_mode = OFF").fetchone()
        connection.execute("PRAGMA synchronous = OFF")
        yield connection
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Picks:
    """Rows of one table to write, and the columns to write of them.

    ``rows``: ``_origin``, ``_rowid`` and ``_target_rowid``, in order of insertion; rows with a
    ``_target_rowid`` replace, the others are inserted. ``rewritten``: (_origin, _rowid, column,
    value) of cells that are not as stored; of several for one cell the last counts.
    """

    table: str
    columns: Sequence[str]
    rows: pl.DataFrame
    rewritten: pl.DataFrame


def stage_rows(staging: sqlite3.Connection, picks: Picks, sources: Mapping[int, RowSource]) -> None:
    """Copy the picked rows of one table, cell for cell as stored but for the rewritten cells."""
    table, columns = picks.table, picks.columns
    numbered = picks.rows.select(ORIGIN, ROWID, TARGET_ROWID).with_row_index(PLACE)
    kinds = {
        "insert": numbered.filter(pl.col(TARGET_ROWID).is_null()),
        "replace": numbered.filter(pl.col(TARGET_ROWID).is_not_null()),
    }
    for kind, rows in kinds.items():
        name = quoted(f"{kind}_{table}")
        staging.execute(
            f"CREATE TABLE {name} ({PLACE} INTEGER PRIMARY KEY, {ORIGIN}, {TARGET_ROWID}, "
            f"{column_list(columns)})"
        )
        for origin in rows[ORIGIN].unique().sort():
            part = rows.filter(pl.col(ORIGIN) == origin)
            _copy_rows(staging, name, table, columns, part, sources[origin])
        cells = rows.join(picks.rewritten, on=[ORIGIN, ROWID], maintain_order="right")
        _rewrite(staging, name, cells)


def stage_derived(path: Path, table: str, written: pl.DataFrame, removed: pl.DataFrame) -> None:
    """Stage derived rows to write and keys of rows to delete, after those already staged."""
    with arrow_connection(str(path)) as connection:
        execute(connection, "PRAGMA synchronous = OFF")
        ingest(connection, f"write_{table}", written)
        ingest(connection, f"remove_{table}", removed)


def _rewrite(staging: sqlite3.Connection, name: str, cells: pl.DataFrame) -> None:
    """Put other values into staged cells: ``_place``, ``column``, ``value``, in this order."""
    staging.execute("BEGIN")
    for (column,), part in cells.partition_by("column", as_dict=True).items():
        staging.executemany(
            f"UPDATE {name} SET {quoted(str(column))} = ? WHERE {PLACE} = ?",
            part.select("value", PLACE).iter_rows(),
        )
    staging.execute("COMMIT")


def _copy_rows(  # noqa: PLR0913, PLR0917 - from where, what, to where
    staging: sqlite3.Connection,
    into: str,
    table: str,
    columns: Sequence[str],
    picks: pl.DataFrame,
    source: RowSource,
) -> None:
    uri = f"{source.database.resolve().as_uri()}?mode=ro&immutable=1"
    staging.execute("ATTACH ? AS origin", (uri,))
    try:
        staging.execute(f"CREATE TEMP TABLE picked ({PLACE}, {ORIGIN}, {TARGET_ROWID}, taken)")
        staging.execute("BEGIN")
        staging.executemany(
            "INSERT INTO picked VALUES (?, ?, ?, ?)",
            picks.select(PLACE, ORIGIN, TARGET_ROWID, ROWID).iter_rows(),
        )
        cells = ", ".join(_cell(table, name, source) for name in columns)
        staging.execute(
            f"INSERT INTO {into} SELECT {PLACE}, {ORIGIN}, {TARGET_ROWID}, {cells} "
            f"FROM picked JOIN origin.{quoted(table)} AS stored ON stored.rowid = taken"
        )
        staging.execute("COMMIT")
        staging.execute("DROP TABLE picked")
    finally:
        staging.execute("DETACH origin")


def _cell(table: str, name: str, source: RowSource) -> str:
    """Return the expression of one cell: as stored, or as a migration would fill it in."""
    if name in source.columns[table]:
        return f"stored.{quoted(name)}"
    known = {column.name: column.default for column in BY_NAME[table].columns}
    return known.get(name) or "NULL"
