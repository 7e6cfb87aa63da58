"""The staging database: everything a publication will write, gathered before the target is locked.

It lies in the run's scratch and may be lost at any time. Columns have no declared type, so cells
stay exactly as the backups store them; they are called as frames call them. Its tables:

insert_<table>   log rows to add: the columns to write, ``_place`` (order of insertion)
replace_<table>  log rows to put in the place of others: the columns, ``_target_rowid``
leave_<table>    log rows to remove: ``_target_rowid``
write_<table>    derived rows to add or replace, by key
remove_<table>   keys of derived rows to delete

A table that takes every row of a whole copy, none of them rewritten, has nothing staged.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.neotoma.cells import sql_of
from neotoma_core.neotoma.ddl import column_list, quote
from neotoma_core.neotoma.frames import (
    ORIGIN,
    POLARS_TYPES,
    ROWID,
    TARGET_ROWID,
    holds_odd,
    is_odd,
    name_in_database,
)
from neotoma_core.neotoma.tables import Table
from neotoma_core.sqlite.arrow import arrow_connection, execute, ingest
from neotoma_core.sqlite.untrusted import attach, guard_connection

PLACE: Final = "_place"
COPY: Final = "copy"
"""The schema under which a whole copy is attached that tables take all their rows from."""
_PICKED: Final = "picked"


@dataclass(frozen=True, slots=True)
class StoredRowSet:
    """The columns a table has, as frames call them, and what it calls the number of a row."""

    columns: frozenset[str]
    rowid: str


@dataclass(frozen=True, slots=True)
class RowSource:
    """A whole copy that rows are taken from, and what it has of each table."""

    database: Path
    tables: Mapping[str, StoredRowSet]


@dataclass(frozen=True, slots=True)
class TableWrite:
    """A table that gains or changes rows: its facts, and the columns written.

    Columns are called as frames call them; staging keeps them under these names. ``loses``: rows
    of it leave, too. ``whole``: it has no rows and takes all of a copy's, as they are.
    """

    table: Table
    columns: tuple[str, ...]
    loses: bool = False
    whole: bool = False

    @property
    def gained(self) -> str:
        """Where the rows are that it gains, in SQL."""
        name = self.table.name
        return f"{COPY}.{quote(name)}" if self.whole else name_staged("insert", name)

    @property
    def replaced(self) -> tuple[str, ...]:
        """The columns in which a row takes the values of another that takes its place."""
        staying = (*self.table.key, *self.table.stays)
        return tuple(column for column in self.columns if name_in_database(column) not in staying)


def name_staged(kind: str, table: str) -> str:
    """Return what SQL calls a staged table; ``kind``: what its name begins with."""
    return f"staging.{quote(f'{kind}_{table}')}"


@contextmanager
def new_staging(path: Path) -> Iterator[sqlite3.Connection]:
    """Create an empty staging database; nothing in it needs to survive a crash."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, uri=True)
    try:
        guard_connection(connection)
        connection.execute("PRAGMA journal_mode = OFF").fetchone()
        connection.execute("PRAGMA synchronous = OFF")
        yield connection
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Picks:
    """Which rows of one table to write.

    ``rows``: ``_origin``, ``_rowid`` and ``_target_rowid``, in order of insertion; rows with a
    ``_target_rowid`` replace, the others are inserted. ``rewritten``: (_origin, _rowid, column,
    value) of cells that are not as stored; of several for one cell the last counts.
    """

    rows: pl.DataFrame
    rewritten: pl.DataFrame


def stage_rows(
    staging: sqlite3.Connection,
    write: TableWrite,
    picks: Picks,
    sources: Mapping[int, RowSource],
) -> None:
    """Copy the picked rows of one table, cell for cell as stored but for the rewritten cells."""
    numbered = picks.rows.select(ORIGIN, ROWID, TARGET_ROWID).with_row_index(PLACE)
    kinds = {
        "insert": numbered.filter(pl.col(TARGET_ROWID).is_null()),
        "replace": numbered.filter(pl.col(TARGET_ROWID).is_not_null()),
    }
    for kind, rows in kinds.items():
        name = quote(f"{kind}_{write.table.name}")
        staging.execute(
            f"CREATE TABLE {name} ({PLACE} INTEGER PRIMARY KEY, {ORIGIN}, {TARGET_ROWID}, "
            f"{column_list(write.columns)})"
        )
        for origin in rows[ORIGIN].unique().sort():
            part = rows.filter(pl.col(ORIGIN) == origin)
            _copy_rows(staging, name, write, part, sources[origin])
        cells = rows.join(picks.rewritten, on=[ORIGIN, ROWID], maintain_order="right")
        _rewrite(staging, name, cells)


def stage_removals(staging: sqlite3.Connection, table: Table, rowids: pl.Series) -> None:
    """Stage the numbers of rows of the target that leave."""
    name = quote(f"leave_{table.name}")
    staging.execute(f"CREATE TABLE {name} ({TARGET_ROWID} INTEGER PRIMARY KEY)")
    staging.execute("BEGIN")
    staging.executemany(f"INSERT INTO {name} VALUES (?)", rowids.to_frame().iter_rows())
    staging.execute("COMMIT")


def stage_derived(path: Path, table: Table, written: pl.DataFrame, removed: pl.DataFrame) -> None:
    """Stage derived rows to write and keys of rows to delete, after those already staged.

    Both frames: cells.
    """
    frames = {f"write_{table.name}": written, f"remove_{table.name}": removed}
    with arrow_connection(path) as connection:
        execute(connection, "PRAGMA synchronous = OFF")
        for name, rows in frames.items():
            ingest(connection, name, _type_numbers(table, rows))
    if any(holds_odd(rows, _texts(table, rows)) for rows in frames.values()):
        with closing(sqlite3.connect(path, isolation_level=None)) as staging:
            for name, rows in frames.items():
                _put_odd(guard_connection(staging), quote(name), rows.select(_texts(table, rows)))


def _texts(table: Table, rows: pl.DataFrame) -> list[str]:
    return [name for name in rows.columns if table.column(name).type == "TEXT"]


def _type_numbers(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with their numbers as numbers."""
    types = {name: POLARS_TYPES[table.column(name).type] for name in rows.columns}
    return rows.cast({name: kind for name, kind in types.items() if kind != pl.String})


def _put_odd(staging: sqlite3.Connection, name: str, rows: pl.DataFrame) -> None:
    """Put the cells that are spelled into the last rows of a staged table, which are ``rows``.

    The driver takes text that is UTF-8 only.
    """
    (last,) = staging.execute(f"SELECT coalesce(max(rowid), 0) FROM {name}").fetchone()
    number = pl.int_range(pl.len(), dtype=pl.Int64) + (last - rows.height + 1)
    numbered = rows.with_columns(number.alias(ROWID))
    staging.execute("BEGIN")
    for column in rows.columns:
        spelled = numbered.filter(is_odd(pl.col(column)))
        for number, cell in spelled.select(ROWID, column).iter_rows():
            _set_cell(staging, name, column, cell, f"rowid = {number}")
    staging.execute("COMMIT")


def _set_cell(
    staging: sqlite3.Connection, name: str, column: str, cell: str | None, where: str
) -> None:
    expression, value = sql_of(cell)
    statement = f"UPDATE {name} SET {quote(column)} = {expression} WHERE {where}"
    staging.execute(statement, (value,))


def _rewrite(staging: sqlite3.Connection, name: str, cells: pl.DataFrame) -> None:
    """Put other values into staged cells: ``_place``, ``column``, ``value``, in this order."""
    staging.execute("BEGIN")
    for (column,), part in cells.partition_by("column", as_dict=True).items():
        spelled = is_odd(pl.col("value")).fill_null(value=False)
        staging.executemany(
            f"UPDATE {name} SET {quote(str(column))} = ? WHERE {PLACE} = ?",
            part.filter(~spelled).select("value", PLACE).iter_rows(),
        )
        for cell, place in part.filter(spelled).select("value", PLACE).iter_rows():
            _set_cell(staging, name, str(column), cell, f"{PLACE} = {place}")
    staging.execute("COMMIT")


def _copy_rows(
    staging: sqlite3.Connection,
    into: str,
    write: TableWrite,
    picks: pl.DataFrame,
    source: RowSource,
) -> None:
    uri = f"{source.database.resolve().as_uri()}?mode=ro&immutable=1"
    _ingest_picks(staging, picks)
    attach(staging, "origin", uri)
    try:
        staging.execute("BEGIN")
        stored = source.tables[write.table.name]
        cells = ", ".join(_cell(write.table, name, stored) for name in write.columns)
        staging.execute(
            f"INSERT INTO {into} "
            f"SELECT picked.{PLACE}, picked.{ORIGIN}, picked.{TARGET_ROWID}, {cells} "
            f"FROM main.{_PICKED} AS picked JOIN origin.{quote(write.table.name)} AS stored "
            f"ON stored.{stored.rowid} = picked.{ROWID}"
        )
        staging.execute("COMMIT")
        staging.execute(f"DROP TABLE main.{_PICKED}")
    finally:
        staging.execute("DETACH origin")


def _ingest_picks(staging: sqlite3.Connection, picks: pl.DataFrame) -> None:
    (raw,) = staging.execute(
        "SELECT CAST(file AS BLOB) FROM pragma_database_list WHERE name = 'main'"
    ).fetchone()
    with arrow_connection(Path(os.fsdecode(raw))) as connection:
        execute(connection, "PRAGMA synchronous = OFF")
        ingest(connection, _PICKED, picks.select(PLACE, ORIGIN, TARGET_ROWID, ROWID))


def _cell(table: Table, name: str, stored: StoredRowSet) -> str:
    """Return the expression of one cell: as stored, or as a migration would fill it in."""
    if name in stored.columns:
        return f"stored.{quote(name_in_database(name))}"
    return table.column(name_in_database(name)).default or "NULL"
