"""Rows of a stored table as frames, cell values exactly as stored.

Reading goes through Arrow. A cell whose storage class is not what its column declares has no place
in a typed frame: it is read as NULL, and its row is named as broken.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
from adbc_driver_manager import AdbcConnection

from neotoma_core.contracts import no_broken
from neotoma_core.ddl import literal, quoted
from neotoma_core.frames import POLARS_TYPES, ROWID, framed
from neotoma_core.store.arrow_sqlite import arrow_connection, fetch, immutable_uri, ingest
from neotoma_core.store.databases import connect_read_only
from neotoma_core.tables import Column, Table

_PICKED: Final = "picked"
_STORAGE: Final = {"TEXT": "text", "INTEGER": "integer", "REAL": "real"}
_EXAMPLE: Final = {"TEXT": "''", "INTEGER": "0", "REAL": "0.0"}


@dataclass(frozen=True, slots=True)
class StoredRows:
    """``rows``: ``_rowid``, the known columns, the unknown ones as literals; one per stored row.

    An unknown column is called as ``framed`` says; what is NULL in it is NULL here.

    ``broken``: ``_rowid``, ``column``, ``reason``, one per cell that its column cannot hold.
    """

    rows: pl.DataFrame
    broken: pl.DataFrame


def read_rows(
    database: Path, table: Table, stored: Sequence[str], rowids: pl.Series | None = None
) -> StoredRows:
    """Read a table of a whole copy, in the order of its row numbers.

    ``stored``: the columns the database has. Missing ones are filled as a migration would. Of a
    carried table every column is unknown. ``rowids``: the rows to read; None for all.
    """
    if table.kind == "carried":
        table = replace(table, columns=())
    with arrow_connection(immutable_uri(database)) as connection:
        where = "true"
        if rowids is not None:
            ingest(connection, _PICKED, rowids.rename("n").to_frame(), temporary=True)
            where = f"{table.rowid} IN (SELECT n FROM temp.{_PICKED})"
        odd = odd_cells(connection, table, stored, where)
        query = select_rows(table, stored, tolerant=bool(odd.num_rows), where=where)
        read = fetch(connection, query).slice(1)  # the first row only fixed the types
    unknown = frozenset(framed(name) for name in stored if name not in table.names)
    readable, unreadable = without_bad_text(read, unknown)
    frame = pl.from_arrow(readable)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table never becomes a series
    broken = [named_odd(pl.from_arrow(odd)), *unreadable]
    return StoredRows(
        frame.with_columns(pl.col(ROWID).cast(pl.Int64)),
        pl.concat([no_broken(), *broken]).sort(ROWID, "column"),
    )


def read_literals(database: Path, table: Table, rowids: Iterable[int]) -> pl.DataFrame:
    """Return the named rows with every cell as an SQL literal: ``_rowid`` and the stored columns.

    Bytes that are no text appear escaped; the evidence keeps them as they were.
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
        literals = ", ".join(f"quote({quoted(name)})" for name in names)
        query = (
            f"SELECT {table.rowid}, {literals} FROM {quoted(table.name)} WHERE {table.rowid} = ?"
        )
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
    types = [f"{_EXAMPLE[c.type]} AS {quoted(c.name)}" for c in table.columns]
    types += [f"'' AS {quoted(framed(name))}" for name in unknown]
    cells = [_cell(column, stored, tolerant=tolerant) for column in table.columns]
    cells += [literal(name) for name in unknown]
    return (
        f"SELECT 0 AS {quoted(ROWID)}, {', '.join(types)} "
        f"UNION ALL SELECT * FROM (SELECT {table.rowid}, {', '.join(cells)} "
        f"FROM {quoted(table.name)} WHERE {where} ORDER BY {table.rowid})"
    )


def _cell(column: Column, stored: Sequence[str], *, tolerant: bool) -> str:
    if column.name not in stored:
        return column.default or "NULL"
    if not tolerant:
        return quoted(column.name)
    return f"CASE WHEN NOT ({odd_condition(column)}) THEN {quoted(column.name)} END"


def odd_condition(column: Column) -> str:
    """Return the condition of a cell of another storage class than its column declares."""
    name = quoted(column.name)
    if column.type == "TEXT":  # numbers sort before all text, blobs after it; typeof is far slower
        return f"({name} < '' OR {name} >= x'')"
    return f"typeof({name}) NOT IN ('{_STORAGE[column.type]}', 'null')"


def is_any_odd(table: Table, stored: Sequence[str]) -> str:
    """Return the condition of rows with a cell of another storage class than declared."""
    columns = [column for column in table.columns if column.name in stored]
    return " OR ".join(map(odd_condition, columns)) or "false"


def odd_cells(
    connection: AdbcConnection, table: Table, stored: Sequence[str], where: str = "true"
) -> pa.Table:
    """Return ``_rowid`` and the column of every cell of another storage class than declared."""
    columns = [column for column in table.columns if column.name in stored]
    cases = (f"WHEN {odd_condition(c)} THEN '{c.name}'" for c in columns)
    first = " ".join(cases) or "WHEN false THEN ''"
    found = fetch(
        connection,
        f'SELECT {table.rowid} AS {quoted(ROWID)}, CASE {first} END AS "column" '
        f"FROM {quoted(table.name)} WHERE ({is_any_odd(table, stored)}) AND {where}",
    )
    return found.cast(pa.schema({ROWID: pa.int64(), "column": pa.string()}))


def named_odd(odd: pl.DataFrame | pl.Series) -> pl.DataFrame:
    """Return odd cells as broken ones: ``_rowid``, ``column``, ``reason``."""
    assert isinstance(odd, pl.DataFrame)  # noqa: S101 - a table never becomes a series
    return odd.with_columns(reason=pl.lit("value of another type than the column's"))


def without_bad_text(
    table: pa.Table, unknown: frozenset[str] = frozenset()
) -> tuple[pa.Table, list[pl.DataFrame]]:
    """Return the table with text that is no UTF-8 made NULL, and the rows where that was so.

    In ``unknown`` columns, which are literals, it is spelled by its bytes instead. Polars trusts
    Arrow's text to be UTF-8, and SQLite does not promise it.
    """
    found = []
    for index, field in enumerate(table.schema):
        column = table.column(index)
        if not pa.types.is_string(field.type) or _is_utf8(column):
            continue
        raw = column.cast(pa.binary()).to_pylist()
        if field.name in unknown:
            spelled = pa.array([_spelled(value) for value in raw], pa.string())
            table = table.set_column(index, field.name, spelled)
            continue
        good = [value is None or _decodes(value) for value in raw]
        kept = [value if fine else None for value, fine in zip(raw, good, strict=True)]
        table = table.set_column(index, field.name, pa.array(kept, pa.binary()).cast(pa.string()))
        rowids = table.column(ROWID).filter(pa.array([not fine for fine in good])).to_pylist()
        found.append(
            pl.DataFrame(
                {
                    ROWID: rowids,
                    "column": [field.name] * len(rowids),
                    "reason": ["text that is not UTF-8"] * len(rowids),
                },
                schema=no_broken().schema,
            )
        )
    return table, found


def _is_utf8(column: pa.ChunkedArray) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _spelled(value: bytes | None) -> str | None:
    """Return the literal of a text, by its bytes where they are no UTF-8."""
    if value is None or _decodes(value):
        return None if value is None else value.decode()
    text = value[1:-1].replace(b"''", b"'")  # as SQLite's quote() has it
    return f"CAST(X'{text.hex().upper()}' AS TEXT)"


def _decodes(value: bytes) -> bool:
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
            f"SELECT min(observed_at), max(observed_at) FROM main.{quoted(table)} "
            "WHERE typeof(observed_at) = 'text' AND rowid NOT IN (SELECT n FROM temp.others)"
        ).fetchone()
    return first, last


def empty_rows(table: Table) -> pl.DataFrame:
    """Return a frame of ``table`` without rows: what a database without the table holds.

    Of a carried table: as ``framed_table`` returns it.
    """
    schema = {column.name: POLARS_TYPES[column.type] for column in table.columns}
    return pl.DataFrame(schema={ROWID: pl.Int64, **schema})
