"""A SQLite database built from rows of an archive, cell for cell as they were stored."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.neotoma.cells import NotALiteral
from neotoma_core.neotoma.ddl import add_column, create_index, create_table, quote
from neotoma_core.neotoma.tables import BY_NAME, Column, Table
from neotoma_core.neotoma.versions import SETTLED, newest_of, release_of, tables_at
from neotoma_core.row_versions.columns import ODD, ROW_HASH
from neotoma_core.row_versions.odd_literals import odd_cells_of, without_required
from neotoma_core.sqlite.arrow import arrow_connection, execute, ingest
from neotoma_core.sqlite.untrusted import guard_connection

_NUMBER: Final = "_number"
_CACHE: Final = "cache_size = -262144"  # KiB: keys come in no order, and each has its place


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of one table, which need not be in memory at one time.

    ``parts``: yields them in order, whenever it is called: all columns of the table, ``_odd`` and
    ``_row_hash``. ``missing``: columns in which a row has no value. ``odd``: how many rows have
    cells that fit no column.
    """

    height: int
    missing: frozenset[str]
    odd: int
    parts: Callable[[], Iterator[pl.DataFrame]]


def rows_of_frame(rows: pl.DataFrame) -> TableRows:
    """Return the rows of a table that are in memory."""
    missing = frozenset(name for name in rows.columns if rows[name].null_count())
    return TableRows(rows.height, missing, rows[ODD].count(), lambda: iter((rows,)))


def new_database(path: Path, rows: Mapping[str, TableRows], release: str = SETTLED) -> list[str]:
    """Create a database with rows of an archive, in the order given.

    It has the tables of ``release``, or of the newest release that has a table with rows. ``rows``:
    by table. Returns the hashes of rows with a cell that is not an SQL
    literal of one; such a cell is NULL. Indexes that the rows do not allow are left out.
    """
    held = release_of([name for name, table in rows.items() if table.height])
    tables = tables_at(newest_of(release, held))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        guard_connection(connection, reading=False)
        connection.execute("PRAGMA journal_mode = OFF").fetchone()
        for table in tables:
            connection.execute(create_table(_allowing(table, rows.get(table.name))))
    with arrow_connection(path) as arrow:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", _CACHE):
            execute(arrow, f"PRAGMA {pragma}")
        for name, held_rows in rows.items():
            for part in held_rows.parts() if held_rows.height else ():
                ingest(arrow, name, part.select(BY_NAME[name].names))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        guard_connection(connection, reading=False)
        connection.execute("BEGIN")
        broken = [bad for name, one in rows.items() for bad in _put_odd(connection, name, one)]
        for index_of in tables:
            for index in index_of.indexes:
                with suppress(sqlite3.IntegrityError):
                    connection.execute(create_index(index_of, index))
        connection.execute("COMMIT")
    return broken


def _allowing(table: Table, rows: TableRows | None) -> Table:
    """Return a table that takes the rows: a column in which one has no value requires none."""
    if rows is None:
        return table
    return without_required(table, [c.name for c in table.columns if c.name in rows.missing])


def _odd_rows(rows: TableRows) -> Iterator[tuple[int, str, str]]:
    """Yield (number, odd cells, hash) of rows, which are numbered from 1 as they came."""
    first = 1
    for part in rows.parts() if rows.odd else ():
        numbered = part.select(ODD, ROW_HASH).with_row_index(_NUMBER, first)
        yield from numbered.drop_nulls(ODD).iter_rows()
        first += part.height


def _put_odd(connection: sqlite3.Connection, name: str, rows: TableRows) -> Iterable[str]:
    """Put the cells that fit no column into the rows."""
    known = set(BY_NAME[name].names)
    for number, document, row_hash in _odd_rows(rows):
        try:
            cells = list(odd_cells_of(document))
        except NotALiteral:
            yield row_hash
            continue
        for column, expression, value in cells:
            if column not in known:
                untyped = Column(column, "TEXT", declared="")
                connection.execute(add_column(name, untyped))
                known.add(column)
            connection.execute(
                f"UPDATE {quote(name)} SET {quote(column)} = {expression} WHERE rowid = ?",
                (value, number),
            )
