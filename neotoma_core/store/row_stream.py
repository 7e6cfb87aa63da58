"""Tables that may not fit into memory, read part by part; cell values exactly as stored.

What is in memory at any time is one part: some 32 MB of rows, or one row where that is longer.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import adbc_driver_sqlite.dbapi as adbc
import polars as pl
import pyarrow as pa

from neotoma_core.contracts import no_broken
from neotoma_core.ddl import quoted
from neotoma_core.frames import ROWID
from neotoma_core.store.rows import (
    StoredRows,
    named_odd,
    odd_cells,
    select_rows,
    without_bad_text,
)
from neotoma_core.tables import Table

_PART_BYTES: Final = 32 << 20
_LONG_BYTES: Final = 16 << 10  # at which a row is read among its like, fewer rows at a time
_BATCH_ROWS: Final = 1024
_BATCH_OPTION: Final = "adbc.sqlite.query.batch_rows"


@dataclass(frozen=True, slots=True)
class TableSize:
    """``rows`` of a table; ``bytes`` in its long columns, and the most bytes in one row's."""

    rows: int
    bytes: int
    widest: int


def with_columns(table: Table, names: Sequence[str]) -> Table:
    """Return the facts of a table as if it had only the columns called ``names``."""
    return replace(table, columns=tuple(table.column(name) for name in names))


def measure_table(database: Path, table: str, long: Sequence[str]) -> TableSize:
    """Return the size of a table of a whole copy; ``long`` are the columns that hold documents."""
    with _opened(database) as connection, connection.cursor() as cursor:
        length = _length(long)
        cursor.execute(
            f"SELECT count(*), coalesce(sum({length}), 0), coalesce(max({length}), 0) "
            f"FROM {quoted(table)}"
        )
        (sizes,) = cursor.fetchall()
        return TableSize(*map(int, sizes))


def stream_rows(
    database: Path, table: Table, stored: Sequence[str], size: TableSize, long: Sequence[str]
) -> Iterator[StoredRows]:
    """Yield the rows of a table of a whole copy, part by part, in no particular order.

    ``table``: with the columns wanted; ``stored``: those of them that the database has. Missing
    ones are filled as a migration would. ``size``, ``long``: see ``measure_table``.
    """
    with _opened(database) as connection:
        with connection.cursor() as cursor:
            odd = odd_cells(cursor, table, stored)
        broken = named_odd(pl.from_arrow(odd))
        tolerant = bool(odd.num_rows)
        is_long = f"{_length(long)} > {_LONG_BYTES}"
        fewer = max(1, min(_BATCH_ROWS, _PART_BYTES // max(1, size.widest)))
        kinds = [(f"NOT ({is_long})", _BATCH_ROWS), (is_long, fewer)]
        if size.widest <= _LONG_BYTES:
            kinds = [("true", _BATCH_ROWS)]
        for where, batch_rows in kinds:
            query = select_rows(table, stored, tolerant=tolerant, where=where)
            for part in _parts(connection, query, batch_rows):
                yield _readable(part, broken)
                broken = no_broken()
    if not broken.is_empty():  # of rows that no part held
        raise AssertionError("rows were read without the parts they are in")


def _opened(database: Path) -> adbc.Connection:
    return adbc.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1")


def _length(long: Sequence[str]) -> str:
    """Return the bytes in some columns of one row, as SQL."""
    return " + ".join(f"coalesce(length(CAST({quoted(name)} AS BLOB)), 0)" for name in long)


def _parts(connection: adbc.Connection, query: str, batch_rows: int) -> Iterator[pa.Table]:
    """Yield what a query returns, less its first row, which only fixes the types."""
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{_BATCH_OPTION: str(batch_rows)})
        cursor.execute(query)
        reader = cursor.fetch_record_batch()
        held: list[pa.RecordBatch] = []
        first = next(reader)
        for batch in itertools.chain([first.slice(1)], reader):
            held.append(batch)
            if sum(b.nbytes for b in held) >= _PART_BYTES:
                yield pa.Table.from_batches(held)
                held = []
        yield pa.Table.from_batches(held, reader.schema)


def _readable(part: pa.Table, odd: pl.DataFrame) -> StoredRows:
    readable, unreadable = without_bad_text(part)
    frame = pl.from_arrow(readable)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table never becomes a series
    return StoredRows(
        frame.with_columns(pl.col(ROWID).cast(pl.Int64)),
        pl.concat([no_broken(), odd, *unreadable]),
    )
