"""Rows of a stored table as frames of cells; see ``cells``: what is stored, whatever its type.

Reading goes through Arrow, which has one type for a column. Cells of another storage class than
their column declares are read apart and put in their places.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl
from adbc_driver_manager import AdbcConnection

from neotoma_core.neotoma.cells import ODD, cell_of_text, text_literal
from neotoma_core.neotoma.ddl import literal, quote
from neotoma_core.neotoma.frames import ROWID, cell_of_number, frame_name
from neotoma_core.neotoma.json import stringify
from neotoma_core.neotoma.tables import Column, Table
from neotoma_core.sqlite.arrow import arrow_connection, fetch, immutable_uri, ingest
from neotoma_core.sqlite.opening import connect_read_only

_PICKED: Final = "picked"
_AT_ONCE: Final = 5_000
_STORAGE: Final = {"TEXT": "text", "INTEGER": "integer", "REAL": "real"}
_EXAMPLE: Final = {"TEXT": "''", "INTEGER": "0", "REAL": "0.0"}

OddCells = Mapping[str, Mapping[int, str]]
"""By column: the number of each row with a cell of another storage class, and that cell."""


def read_rows(
    database: Path, table: Table, stored: Sequence[str], rowids: pl.Series | None = None
) -> pl.DataFrame:
    """Read a table of a whole copy, in the order of its row numbers.

    ``stored``: the columns the database has. Missing ones are filled as a migration would. Of a
    carried table every column is unknown. ``rowids``: the rows to read; None for all.

    Returns ``_rowid``, the known columns as cells, the unknown ones, named by ``frame_name``, as
    SQL literals; one row per stored row.
    """
    if table.kind == "carried":
        table = replace(table, columns=())
    with arrow_connection(immutable_uri(database)) as connection:
        where = "true"
        if rowids is not None:
            ingest(connection, _PICKED, rowids.rename("n").to_frame(), temporary=True)
            where = f"{table.rowid} IN (SELECT n FROM temp.{_PICKED})"
        return read_where(connection, table, stored, where)


def read_where(
    connection: AdbcConnection, table: Table, stored: Sequence[str], where: str
) -> pl.DataFrame:
    """Read the rows of a table for which a condition holds; see ``read_rows``."""
    odd = odd_cells(connection, table, stored, where)
    query = select_rows(table, stored, tolerant=bool(odd), where=where)
    read = fetch(connection, query).slice(1)  # the first row only fixed the types
    unknown = frozenset(frame_name(name) for name in stored if name not in table.names)
    return cells_of(read, table, odd, unknown)


def cells_of(
    read: pl.DataFrame, table: Table, odd: OddCells, unknown: frozenset[str] = frozenset()
) -> pl.DataFrame:
    """Return what was read as cells, and those in ``unknown`` columns as literals.

    ``read``: as ``select_rows`` asks for it, texts as bytes. ``odd``: cells that it has as NULL.
    """
    texts = [name for name, kind in read.schema.items() if kind == pl.Binary]
    cells_read = [_text_cells(read[name], is_literal=name in unknown) for name in texts]
    numbers = [column.name for column in table.columns if column.type != "TEXT"]
    frame = read.with_columns(
        pl.col(ROWID).cast(pl.Int64), pl.col(numbers).cast(pl.String), *cells_read
    )
    places = {number: place for place, number in enumerate(frame[ROWID])} if odd else {}
    for name, cells in odd.items():
        here = {places[number]: cell for number, cell in cells.items() if number in places}
        texts_here = pl.Series(list(here.values()), dtype=pl.String)
        frame = frame.with_columns(frame[name].scatter(list(here), texts_here))
    return frame


def _text_cells(column: pl.Series, *, is_literal: bool) -> pl.Series:
    """Return the bytes of a column as text, with what needs it spelled."""
    text = _as_text(column)
    if text is not None and (is_literal or not text.str.starts_with(ODD).any()):
        return text
    spell = spell_literal if is_literal else cell_of_text
    spelled = [None if value is None else spell(value) for value in column.to_list()]
    return pl.Series(column.name, spelled, dtype=pl.String)


def _as_text(column: pl.Series) -> pl.Series | None:
    """Return bytes as text; None where any of them are not UTF-8."""
    try:
        return column.cast(pl.String)
    except pl.exceptions.ComputeError:
        return None


def odd_cells(
    connection: AdbcConnection, table: Table, stored: Sequence[str], where: str = "true"
) -> dict[str, dict[int, str]]:
    """Return the cells of another storage class than their column declares."""
    return {
        name: _read_odd(connection, table, table.column(name), numbers)
        for name, numbers in odd_numbers(connection, table, stored, where).items()
    }


def odd_numbers(
    connection: AdbcConnection, table: Table, stored: Sequence[str], where: str
) -> dict[str, list[int]]:
    """Return the numbers of the rows whose cells do not fit their known column, by column."""
    conditions = {c.name: odd_condition(c) for c in table.columns if c.name in stored}
    return numbers_where(connection, table, conditions, where)


def numbers_where(
    connection: AdbcConnection, table: Table, conditions: Mapping[str, str], where: str
) -> dict[str, list[int]]:
    """Return the numbers of the rows for which each named condition holds, in one pass."""
    if not conditions:
        return {}
    flags = ", ".join(f"{c} AS {quote(frame_name(n))}" for n, c in conditions.items())
    zeros = ", ".join(f"0 AS {quote(frame_name(n))}" for n in conditions)
    query = (
        f"SELECT 0 AS {quote(ROWID)}, {zeros} UNION ALL SELECT {table.rowid}, {flags} "
        f"FROM {quote(table.name)} WHERE ({' OR '.join(conditions.values())}) AND ({where})"
    )
    read = fetch(connection, query).slice(1)
    found = {}
    for name in conditions:
        numbers = read.filter(pl.col(frame_name(name)).cast(pl.Int64) == 1)[ROWID].cast(pl.Int64)
        if len(numbers):
            found[name] = numbers.to_list()
    return found


def _read_odd(
    connection: AdbcConnection, table: Table, column: Column, numbers: Sequence[int]
) -> dict[int, str]:
    name, whole = quote(column.name), column.type == "INTEGER"
    cells: dict[int, str] = {}
    for start in range(0, len(numbers), _AT_ONCE):
        some = stringify(list(numbers[start : start + _AT_ONCE]))
        query = (
            f"SELECT 0 AS {quote(ROWID)}, 0.0 AS number, '' AS cell UNION ALL "
            f"SELECT {table.rowid}, CASE WHEN typeof({name}) IN ('integer', 'real') "
            f"THEN CAST({name} AS REAL) END, {literal(column.name)} FROM {quote(table.name)} "
            f"WHERE {table.rowid} IN (SELECT value FROM json_each('{some}'))"
        )
        read = fetch(connection, query).slice(1)
        for number, value, raw in read.select(ROWID, "number", "cell").iter_rows():
            is_number = value is not None and column.type != "TEXT"
            cells[number] = (
                cell_of_number(value, whole=whole) if is_number else ODD + spell_literal(raw)
            )
    return cells


def read_literals(database: Path, table: Table, rowids: Iterable[int]) -> pl.DataFrame:
    """Return the named rows with every cell as an SQL literal: ``_rowid`` and the stored columns.

    Bytes that are not text appear escaped; the evidence keeps them as they were.
    """
    connection = connect_read_only(database)
    connection.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
    try:
        names = [
            str(name)
            for (name,) in connection.execute(
                "SELECT name FROM pragma_table_info(?)", (table.name,)
            )
        ]
        literals = ", ".join(f"quote({quote(name)})" for name in names)
        query = f"SELECT {table.rowid}, {literals} FROM {quote(table.name)} WHERE {table.rowid} = ?"
        rows = [connection.execute(query, (rowid,)).fetchone() for rowid in rowids]
    finally:
        connection.close()
    schema = {ROWID: pl.Int64, **dict.fromkeys(names, pl.String)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def select_rows(table: Table, stored: Sequence[str], *, tolerant: bool, where: str = "true") -> str:
    """Return the query of the rows, behind one row that fixes every column's type.

    The driver infers types from the values it meets first, and a column may start with NULLs.
    ``tolerant``: cells of another storage class than declared are read as NULL.
    """
    unknown = [name for name in stored if name not in table.names]
    types = [f"{_EXAMPLE[c.type]} AS {quote(c.name)}" for c in table.columns]
    types += [f"'' AS {quote(frame_name(name))}" for name in unknown]
    cells = [_cell(column, stored, tolerant=tolerant) for column in table.columns]
    cells += [literal(name) for name in unknown]
    return (
        f"SELECT 0 AS {quote(ROWID)}, {', '.join(types)} "
        f"UNION ALL SELECT * FROM (SELECT {table.rowid}, {', '.join(cells)} "
        f"FROM {quote(table.name)} WHERE {where} ORDER BY {table.rowid})"
    )


def _cell(column: Column, stored: Sequence[str], *, tolerant: bool) -> str:
    if column.name not in stored:
        return column.default or "NULL"
    if not tolerant:
        return quote(column.name)
    return f"CASE WHEN NOT ({odd_condition(column)}) THEN {quote(column.name)} END"


def odd_condition(column: Column) -> str:
    """Return the condition of a cell of another storage class than its column declares."""
    name = quote(column.name)
    if column.type == "TEXT":  # numbers sort before all text, blobs after it; typeof is far slower
        return f"({name} < '' OR {name} >= x'')"
    return f"typeof({name}) NOT IN ('{_STORAGE[column.type]}', 'null')"


def is_any_odd(table: Table, stored: Sequence[str]) -> str:
    """Return the condition of rows with a cell of another storage class than declared."""
    columns = [column for column in table.columns if column.name in stored]
    return " OR ".join(map(odd_condition, columns)) or "false"


def spell_literal(value: bytes) -> str:
    """Return the literal of a text, as SQLite's ``quote`` has it; by its bytes if not UTF-8."""
    return value.decode() if decodes(value) else text_literal(value[1:-1].replace(b"''", b"'"))


def decodes(value: bytes) -> bool:
    """Return whether bytes are UTF-8."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def span_beside(
    database: Path, table: str, stored: Sequence[str], rowids: pl.Series
) -> tuple[str | None, str | None]:
    """Return the first and last ``observed_at``, as texts, of all rows but those of ``rowids``."""
    if "observed_at" not in stored:
        return None, None
    with closing(connect_read_only(database)) as connection:
        connection.execute("CREATE TEMP TABLE others (n INTEGER PRIMARY KEY)")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO others VALUES (?)", rowids.to_frame().iter_rows())
        first, last = connection.execute(
            f"SELECT min(observed_at), max(observed_at) FROM main.{quote(table)} "
            "WHERE typeof(observed_at) = 'text' AND rowid NOT IN (SELECT n FROM temp.others)"
        ).fetchone()
    return first, last
