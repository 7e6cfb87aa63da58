"""Rows of a whole copy with the hash of each, part by part.

The table is cut by row numbers and read on two connections at a time: what takes the time is
SQLite's own stepping from cell to cell, which keeps one processor busy.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.json import stringify
from neotoma_core.neotoma.tables import Table
from neotoma_core.row_versions.columns import ODD, ROW_HASH
from neotoma_core.row_versions.odd_literals import keep_known, misfits, read_odd
from neotoma_core.row_versions.row_hash import as_bits, hash_expression
from neotoma_core.sqlite.arrow import arrow_connection, batches, execute, immutable_uri
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.sqlite.rows import decodes, select_rows
from neotoma_core.stages.runner import Threads

_BATCH_ROWS: Final = 32_768
_PART_ROWS: Final = 250_000
_WHOLE_ROWS: Final = 32_768  # at a time, where all cells are kept
_MAPPED_BYTES: Final = 256 << 20  # of the file; they count as memory of the process
_READERS: Final = 2


def hash_keys(database: Path, table: Table, stored: Sequence[str]) -> pl.DataFrame:
    """Return (_rowid, key, _row_hash) of every row of a table."""
    (key,) = table.key
    schema: dict[str, pl.DataType] = {ROWID: pl.Int64(), key: pl.String(), ROW_HASH: pl.String()}
    keys = partial(_hash, table, keep=(ROWID, key, ROW_HASH))
    return pl.concat([pl.DataFrame(schema=schema), *_read_all(database, table, stored, keys)])


def hash_rows(
    database: Path, table: Table, stored: Sequence[str], picked: pl.Series
) -> Iterator[pl.DataFrame]:
    """Yield the ``picked`` rows (by ``_rowid``) whole, in the order of their numbers, in parts.

    A part has ``_rowid``, the table's columns, ``_odd`` and ``_row_hash``.
    """
    whole = partial(_hash, table, keep=(ROWID, *table.names, ODD, ROW_HASH))
    ordered = picked.sort()
    for start in range(0, len(ordered), _WHOLE_ROWS):
        some = ordered.slice(start, _WHOLE_ROWS)
        first, last = some[0], some[-1]
        where = f"{table.rowid} BETWEEN {first} AND {last}"
        if last - first >= len(some):
            listed = stringify(some.to_list())
            where = f"{table.rowid} IN (SELECT value FROM json_each('{listed}'))"
        yield _read_range(database, table, stored, whole, where)


def hash_in_order(database: Path, table: Table, stored: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield (_rowid, _row_hash) of every row of a table, by ``_rowid``, in parts."""
    made = partial(_hash, table, keep=(ROWID, ROW_HASH))
    ranges = _ranges(database, table)
    yield from Threads(_READERS).run(
        lambda span: _read_range(database, table, stored, made, span), ranges
    )


def hash_frame(table: Table, rows: pl.DataFrame) -> pl.Series:
    """Return the hashes of rows as they are archived: the table's columns and ``_odd``."""
    arrow = rows.select(*table.names, ODD).to_arrow(compat_level=pl.CompatLevel.newest())
    return _hash(table, arrow)[ROW_HASH]


def _read_all(
    database: Path, table: Table, stored: Sequence[str], made: Callable[[pa.Table], pl.DataFrame]
) -> list[pl.DataFrame]:
    """Return what is made of the rows, in the order of their numbers."""
    with ThreadPoolExecutor(_READERS) as pool:
        ranges = _ranges(database, table)
        return list(pool.map(lambda span: _read_range(database, table, stored, made, span), ranges))


def _read_range(
    database: Path,
    table: Table,
    stored: Sequence[str],
    made: Callable[[pa.Table], pl.DataFrame],
    where: str,
) -> pl.DataFrame:
    known = keep_known(table, stored)
    wanted = misfits(database, table, stored, where)
    tolerant = bool(set(wanted) & set(known))
    query = select_rows(table, known, tolerant=tolerant, where=where)
    parts: list[pl.DataFrame] = []
    with arrow_connection(immutable_uri(database)) as connection:
        execute(connection, f"PRAGMA mmap_size = {_MAPPED_BYTES}")
        with batches(connection, query, _BATCH_ROWS) as reader:
            first = True
            for batch in reader:
                read = pa.Table.from_batches([batch.slice(1) if first else batch])
                first = False
                readable, unreadable = _without_bad_text(read)
                odd = read_odd(database, table, stored, _with_bad_text(wanted, read, unreadable))
                parts.append(made(_with_odd(readable, odd)))
    return pl.concat(parts)


def _without_bad_text(table: pa.Table) -> tuple[pa.Table, list[pl.DataFrame]]:
    """Return the table with text that is not UTF-8 made NULL, and (_rowid, column) of those cells.

    The typed columns of an archive keep such cells apart.
    """
    found = []
    for index, field in enumerate(table.schema):
        column = table.column(index)
        if not pa.types.is_string(field.type) or _is_utf8(column):
            continue
        raw = column.cast(pa.binary()).to_pylist()
        good = [value is None or decodes(value) for value in raw]
        kept = [value if fine else None for value, fine in zip(raw, good, strict=True)]
        table = table.set_column(index, field.name, pa.array(kept, pa.binary()).cast(pa.string()))
        rowids = table.column(ROWID).filter(pa.array([not fine for fine in good])).to_pylist()
        rows = pl.DataFrame({ROWID: rowids}, schema={ROWID: pl.Int64})
        found.append(rows.with_columns(column=pl.lit(field.name)))
    return table, found


def _is_utf8(column: pa.ChunkedArray) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _with_bad_text(
    wanted: Mapping[str, Sequence[int]], read: pa.Table, unreadable: list[pl.DataFrame]
) -> dict[str, list[int]]:
    """Return the odd cells among the rows that were read, invalid UTF-8 included."""
    if not wanted and not unreadable:
        return {}
    here = set(read.column(ROWID).to_pylist())
    found = {name: [n for n in numbers if n in here] for name, numbers in wanted.items()}
    for bad in unreadable:
        for number, column in bad.select(ROWID, "column").iter_rows():
            found.setdefault(column, []).append(number)
    return {name: numbers for name, numbers in found.items() if numbers}


def _with_odd(rows: pa.Table, odd: pl.DataFrame) -> pa.Table:
    if odd.is_empty():
        return rows.append_column(ODD, pa.nulls(rows.num_rows, pa.string()))
    by_number = dict(odd.iter_rows())
    cells = [by_number.get(number) for number in rows.column(ROWID).to_pylist()]
    return rows.append_column(ODD, pa.array(cells, pa.string()))


def _hash(table: Table, rows: pa.Table, keep: Sequence[str] = (ROW_HASH,)) -> pl.DataFrame:
    """Return the columns ``keep`` of rows, hashes among them, in the order given."""
    bits = as_bits(rows)
    query = f"SELECT {hash_expression(table, bits)} AS {quote(ROW_HASH)} FROM rows"
    with _engine().cursor() as connection:
        connection.register("rows", bits)
        hashes: pl.DataFrame = connection.sql(query).pl()
    kept = pl.from_arrow(copy_columns(rows, [name for name in keep if name != ROW_HASH]))
    if not isinstance(kept, pl.DataFrame) or not kept.width:
        return hashes
    numbered = kept.with_columns(pl.col(ROWID).cast(pl.Int64)) if ROWID in kept.columns else kept
    return numbered.with_columns(hashes[ROW_HASH])


def copy_columns(rows: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return columns of rows in memory of their own, where others are left out.

    The columns that SQLite's reader returns are freed together: one that is kept keeps them all.
    """
    some = rows.select(names)
    if len(names) == rows.num_columns:
        return some
    return some.take(pa.array(np.arange(rows.num_rows)))


def _ranges(database: Path, table: Table) -> list[str]:
    """Return conditions that cut a table into parts by the numbers of its rows."""
    number, name = table.rowid, quote(table.name)
    with closing(connect_read_only(database)) as connection:
        query = f"SELECT min({number}), max({number}) FROM {name}"
        low, high = connection.execute(query).fetchone()
    if low is None:
        return []
    step = max(_PART_ROWS, (high - low) // 64 + 1)
    starts = range(low, high + 1, step)
    return [f"{number} BETWEEN {start} AND {start + step - 1}" for start in starts]


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """Return DuckDB in memory; it opens no file and keeps the order of rows."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "temp_directory": "",
        "preserve_insertion_order": "true",
    }
    return duckdb.connect(":memory:", config=settings)
