"""The hash of a row: what it holds, whatever version of Midden or Neotoma looks at it.

It is the first 32 hex digits of the SHA-256 of the row's cells, by name in the order of bytes,
those that are NULL left out, so that a column a newer Neotoma adds changes no hash:

    TEXT      ``<name>=t<length in bytes>:<text>``
    INTEGER   ``<name>=i<digits>``
    REAL      ``<name>=r<its 64 bits, read as a signed integer>``
    others    ``_odd=t<length>:<JSON>``, the cells that do not fit; see ``columns``

Of rows of one database that are the same in every cell, the second and later have the hash of
``<hash>#<2, 3, …>``. A cell of a column that is not known yet counts among the others; once a
version of Midden knows it, the row is archived again.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import polars as pl
import pyarrow as pa

from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import Table
from neotoma_core.row_versions.columns import ODD, ROW_HASH

_DIGITS: Final = 32


def hash_expression(table: Table, rows: pa.Table) -> str:
    """Return the SQL, as DuckDB has it, of the hashes of ``rows``, prepared by ``as_bits``.

    A column without a value adds nothing, so it is left out; one with all values needs no test.
    """
    types: Mapping[str, str] = {c.name: c.type for c in table.columns} | {ODD: "TEXT"}
    present = (n for n in sorted(types) if rows.column(n).null_count < rows.num_rows)
    cells = [
        _cell(name, types[name], ", " if rows.column(name).null_count == 0 else " || ")
        for name in present
    ]
    return f"left(sha256(concat({', '.join(cells) or repr('')})), {_DIGITS})"


def as_bits(rows: pa.Table) -> pa.Table:
    """Return the rows with reals as the integers that have their bits."""
    for index, column in enumerate(rows.schema):
        if pa.types.is_floating(column.type):
            bits = [chunk.view(pa.int64()) for chunk in rows.column(index).chunks]
            rows = rows.set_column(index, column.name, pa.chunked_array(bits, pa.int64()))
    return rows


def tell_apart(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows (_rowid, _row_hash, …) with hashes of their own where whole rows are the same."""
    if not rows[ROW_HASH].is_duplicated().any():
        return rows
    number = pl.int_range(1, pl.len() + 1).over(ROW_HASH, order_by=ROWID)
    numbered = rows.with_columns(_number=number)
    again = numbered.filter(pl.col("_number") > 1)
    told = pl.Series([hash_again(h, n) for h, n in again.select(ROW_HASH, "_number").iter_rows()])
    renamed = again.with_columns(told.alias(ROW_HASH)) if len(told) else again
    return pl.concat([numbered.filter(pl.col("_number") == 1), renamed]).drop("_number")


def hash_again(row_hash: str, number: int) -> str:
    """Return the hash of the second or a later (``number``) of rows that are all the same."""
    return hashlib.sha256(f"{row_hash}#{number}".encode()).hexdigest()[:_DIGITS]


def _cell(name: str, kind: str, between: str) -> str:
    """Return one cell; with ``||`` between its parts, it is NULL where the cell is."""
    column, label = quote(name), name.replace("'", "''")
    if kind == "TEXT":
        return between.join((f"'{label}=t'", f"strlen({column})", "':'", column))
    return between.join((f"'{label}={'i' if kind == 'INTEGER' else 'r'}'", column))
