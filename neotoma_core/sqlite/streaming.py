"""Tables that may not fit into memory, read part by part; as frames of cells.

What is in memory at any time is one part: some 32 MB of rows, or one row where that is longer.
"""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
from adbc_driver_manager import AdbcConnection

from neotoma_core.neotoma.cells import ODD
from neotoma_core.neotoma.ddl import literal_of, quote
from neotoma_core.neotoma.tables import Table
from neotoma_core.sqlite.arrow import (
    arrow_connection,
    as_bytes,
    batches,
    fetch,
    immutable_uri,
    ingest,
)
from neotoma_core.sqlite.rows import cells_of, is_any_odd, odd_cells, select_rows

if TYPE_CHECKING:
    import pyarrow as pa

_PART_BYTES: Final = 32 << 20
_LONG_BYTES: Final = 16 << 10  # at which a row is read among its like, fewer rows at a time
_BATCH_ROWS: Final = 1024


@dataclass(frozen=True, slots=True)
class TableSize:
    """``rows`` of a table; ``bytes`` in its long columns, and the most bytes in one row's.

    ``odd``: rows with a cell of another storage class than its column's.
    """

    rows: int
    bytes: int
    widest: int
    odd: int


def with_columns(table: Table, names: Sequence[str]) -> Table:
    """Return the facts of a table as if it had only the columns called ``names``."""
    return replace(table, columns=tuple(table.column(name) for name in names))


def measure_table(
    database: Path, table: Table, stored: Sequence[str], long: Sequence[str]
) -> TableSize:
    """Return the size of a table of a whole copy; ``long`` are the columns that hold documents."""
    length = _length(long)
    with arrow_connection(immutable_uri(database)) as connection:
        sizes = fetch(
            connection,
            f"SELECT count(*), coalesce(sum({length}), 0), coalesce(max({length}), 0), "
            f"count(CASE WHEN {is_any_odd(table, stored)} THEN 1 END) FROM {quote(table.name)}",
        )
    return TableSize(*map(int, sizes.row(0)))


def stream_rows(  # noqa: PLR0913, PLR0917 - which rows of what, and how long they are
    database: Path,
    table: Table,
    stored: Sequence[str],
    size: TableSize,
    long: Sequence[str],
    wanted: Mapping[str, Collection[str]] | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield the rows of a table of a whole copy, part by part, in no particular order.

    ``table``: with the columns wanted; ``stored``: those of them that the database has. Missing
    ones are filled as a migration would. ``size``, ``long``: see ``measure_table``.
    ``wanted``: cells by column; only rows that have one of them. Where the database compares
    otherwise than by bytes, there may be others.
    """
    with arrow_connection(immutable_uri(database)) as connection:
        odd = odd_cells(connection, table, stored) if size.odd else {}
        is_long = f"{_length(long)} > {_LONG_BYTES}"
        fewer = max(1, min(_BATCH_ROWS, _PART_BYTES // max(1, size.widest)))
        kinds = [(f"NOT ({is_long})", _BATCH_ROWS), (is_long, fewer)]
        if size.widest <= _LONG_BYTES:
            kinds = [("true", _BATCH_ROWS)]
        picked = "true" if wanted is None else _pick(connection, wanted)
        for where, batch_rows in kinds:
            both = f"({where}) AND ({picked})"
            query = select_rows(table, stored, tolerant=bool(size.odd), where=both)
            for part in _parts(connection, query, batch_rows):
                yield cells_of(part, table, odd)


def _pick(connection: AdbcConnection, wanted: Mapping[str, Collection[str]]) -> str:
    """Return the condition of rows with one of the cells wanted in its column."""
    conditions = ["false"]
    for number, (column, cells) in enumerate(wanted.items()):
        plain = [cell for cell in cells if not cell.startswith(ODD)]
        odd = [literal_of(cell) for cell in cells if cell.startswith(ODD)]
        if plain:
            name = f"wanted_{number}"
            frame = pl.DataFrame({"cell": plain}, schema={"cell": pl.String})
            ingest(connection, name, frame, temporary=True)
            conditions.append(f"{quote(column)} IN (SELECT cell FROM temp.{name})")
        conditions += [f"{quote(column)} = {literal}" for literal in odd]
    return " OR ".join(conditions)


def _length(long: Sequence[str]) -> str:
    """Return the bytes in some columns of one row, as SQL."""
    lengths = (f"coalesce(length(CAST({quote(name)} AS BLOB)), 0)" for name in long)
    return " + ".join(lengths) or "0"


def _parts(connection: AdbcConnection, query: str, batch_rows: int) -> Iterator[pl.DataFrame]:
    """Yield what a query returns, less its first row, which only fixes the types.

    Texts as bytes; at least one part, be it empty.
    """
    with batches(connection, query, batch_rows) as reader:
        held: list[pa.RecordBatch] = []
        size = 0
        first = next(reader)
        for batch in itertools.chain([first.slice(1)], reader):
            held.append(batch)
            size += batch.nbytes
            if size >= _PART_BYTES:
                yield _frame_of(held)
                held, size = [], 0
        yield _frame_of(held or [first.slice(0, 0)])


def _frame_of(held: Sequence["pa.RecordBatch"]) -> pl.DataFrame:
    parts = [pl.DataFrame(batch) for batch in held]
    return as_bytes(pl.concat(parts, rechunk=True))
