"""Some rows of a stored table, picked by what a column says."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.neotoma.ddl import is_among, quote
from neotoma_core.neotoma.frames import empty_rows
from neotoma_core.neotoma.tables import Table
from neotoma_core.sqlite.arrow import arrow_connection, immutable_uri
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.sqlite.rows import read_where

_AT_ONCE: Final = 5_000  # values in one statement
_HEX: Final = "[0-9a-f]"
_SEALED_START: Final = f"{_HEX * 32}:{_HEX * 32}:*"


def read_picked(
    database: Path, table: Table, stored: Sequence[str], column: str, values: Sequence[str]
) -> pl.DataFrame:
    """Return the rows of a whole copy whose ``column`` is one of ``values``, in no order.

    ``_rowid`` and the table's columns; see ``cells``.
    """
    parts = [empty_rows(table)]
    if column in stored and values:
        known = [name for name in stored if name in table.names]
        with arrow_connection(immutable_uri(database)) as connection:
            for some in _batches(values):
                where = is_among(column, some)
                parts.append(read_where(connection, table, known, where))
    return pl.concat(parts, how="diagonal_relaxed").select(parts[0].columns)


def keys_among(database: Path, table: str, ids: pl.Series) -> pl.Series:
    """Return those of some ids that a table of a whole copy has."""
    query = f"SELECT id FROM {quote(table)} WHERE {is_among('id', ids)}"
    with closing(connect_read_only(database)) as connection:
        rows = connection.execute(query).fetchall()
    return pl.Series(ids.name, [found for (found,) in rows], dtype=pl.String)


def read_column(database: Path, table: str, column: str) -> pl.Series:
    """Return the texts in a column of a whole copy, each once."""
    name = quote(column)
    query = f"SELECT DISTINCT {name} FROM {quote(table)} WHERE typeof({name}) = 'text'"
    with closing(connect_read_only(database)) as connection:
        rows = connection.execute(query).fetchall()
    return pl.Series(column, [found for (found,) in rows], dtype=pl.String)


def holds_sealed_cells(database: Path, table: Table, stored: Sequence[str]) -> bool:
    """Return whether any cell of a table of a whole copy is sealed."""
    sealable = [c.name for c in table.columns if c.sealed and c.name in stored]
    if not sealable:
        return False
    any_sealed = " OR ".join(f"{quote(name)} GLOB ?" for name in sealable)
    query = f"SELECT 1 FROM {quote(table.name)} WHERE {any_sealed} LIMIT 1"
    with closing(connect_read_only(database)) as connection:
        return connection.execute(query, [_SEALED_START] * len(sealable)).fetchone() is not None


def without_row_numbers(database: Path) -> frozenset[str]:
    """Return the tables of a whole copy whose rows have no numbers."""
    with closing(connect_read_only(database)) as connection:
        rows = connection.execute("SELECT name FROM pragma_table_list WHERE wr").fetchall()
    return frozenset(str(name) for (name,) in rows)


def _batches(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
