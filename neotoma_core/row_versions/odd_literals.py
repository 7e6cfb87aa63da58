"""Cells that do not fit their column, as SQL literals: taken from a database, and put back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import orjson
import polars as pl

from neotoma_core.neotoma.cells import NotALiteral, sql_of_literal
from neotoma_core.neotoma.ddl import literal, quote
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.json import stringify
from neotoma_core.neotoma.tables import Table
from neotoma_core.row_versions.columns import ODD
from neotoma_core.sqlite.arrow import arrow_connection, execute, fetch, immutable_uri
from neotoma_core.sqlite.rows import numbers_where, odd_condition, spell_literal

_AT_ONCE: Final = 5_000
_MAPPED_BYTES: Final = 256 << 20


def read_odd(
    database: Path, table: Table, stored: Sequence[str], wanted: Mapping[str, Sequence[int]]
) -> pl.DataFrame:
    """Return (_rowid, _odd) of rows with cells that do not fit: column → row numbers, ``wanted``.

    ``_odd`` is a JSON object of those cells, columns in the order of their names.
    """
    cells: dict[int, dict[str, str]] = {}
    with arrow_connection(immutable_uri(database)) as connection:
        for column in sorted(set(wanted) & set(stored)):
            numbers = wanted[column]
            for start in range(0, len(numbers), _AT_ONCE):
                some = stringify(list(numbers[start : start + _AT_ONCE]))
                query = (
                    f"SELECT 0 AS {quote(ROWID)}, '' AS cell UNION ALL "
                    f"SELECT {table.rowid}, {literal(column)} FROM {quote(table.name)} "
                    f"WHERE {table.rowid} IN (SELECT value FROM json_each('{some}'))"
                )
                for number, cell in fetch(connection, query).slice(1).iter_rows():
                    if cell is not None:
                        cells.setdefault(int(number), {})[column] = spell_literal(cell)
    rows = [(number, stringify(dict(odd))) for number, odd in sorted(cells.items())]
    return pl.DataFrame(rows, schema={ROWID: pl.Int64, ODD: pl.String}, orient="row")


def misfits(
    database: Path, table: Table, stored: Sequence[str], where: str
) -> dict[str, list[int]]:
    """Return the numbers of the rows whose cells do not fit their column, by column.

    Of a column that is not known, no cell fits; NULL is everywhere at home.
    """
    conditions = {c.name: odd_condition(c) for c in table.columns if c.name in stored}
    unknown = {n: f"{quote(n)} IS NOT NULL" for n in stored if n not in table.names}
    with arrow_connection(immutable_uri(database)) as connection:
        execute(connection, f"PRAGMA mmap_size = {_MAPPED_BYTES}")
        return numbers_where(connection, table, conditions | unknown, where)


def keep_known(table: Table, stored: Sequence[str]) -> tuple[str, ...]:
    """Return those stored columns that the table is known to have."""
    return tuple(name for name in stored if name in table.names)


def without_required(table: Table, missing: Sequence[str]) -> Table:
    """Return a table whose columns ``missing`` need no value."""
    columns = (replace(c, required=c.required and c.name not in missing) for c in table.columns)
    return replace(table, columns=tuple(columns))


def odd_cells_of(document: str) -> Iterator[tuple[str, str, object]]:
    """Yield (column, expression, value) of the cells in an ``_odd``; the value is to be bound.

    Raises NotALiteral.
    """
    try:
        cells = orjson.loads(document)
    except orjson.JSONDecodeError:
        cells = None
    if not isinstance(cells, dict):
        raise NotALiteral("not a JSON object")
    for column, text in cells.items():
        expression, value = sql_of_literal(str(text))
        yield column, expression, value
