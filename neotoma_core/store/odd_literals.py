"""Cells that do not fit their column, as SQL literals: taken from a database, and put back."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import orjson
import polars as pl

from neotoma_core.archive.columns import ODD
from neotoma_core.canonical import stringify
from neotoma_core.ddl import literal, quoted
from neotoma_core.frames import ROWID, framed
from neotoma_core.store.arrow_sqlite import arrow_connection, execute, fetch, immutable_uri
from neotoma_core.store.rows import odd_condition, without_bad_text
from neotoma_core.tables import Table

_INTEGER: Final = re.compile(r"-?\d+", re.ASCII)
_REAL: Final = re.compile(r"-?\d+\.\d+(e[+-]?\d+)?", re.ASCII)
_BLOB: Final = re.compile(r"X'((?:[0-9A-F]{2})*)'", re.ASCII)
_BYTES: Final = re.compile(r"CAST\(X'((?:[0-9A-F]{2})*)' AS TEXT\)", re.ASCII)
_TEXT: Final = re.compile(r"'((?:[^']|'')*)'", re.DOTALL)
_MOST_INTEGER: Final = 2**63
_AT_ONCE: Final = 5_000
_MAPPED_BYTES: Final = 1 << 31


class NotALiteral(ValueError):
    """What is no literal of one cell. The message does not hold it."""


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
                    f"SELECT 0 AS {quoted(ROWID)}, '' AS cell UNION ALL "
                    f"SELECT {table.rowid}, {literal(column)} FROM {quoted(table.name)} "
                    f"WHERE {table.rowid} IN (SELECT value FROM json_each('{some}'))"
                )
                read, _ = without_bad_text(fetch(connection, query).slice(1), frozenset({"cell"}))
                for number, cell in zip(*(c.to_pylist() for c in read.columns), strict=True):
                    if cell is not None:
                        cells.setdefault(int(number), {})[column] = cell
    rows = [(number, stringify(dict(odd))) for number, odd in sorted(cells.items())]
    return pl.DataFrame(rows, schema={ROWID: pl.Int64, ODD: pl.String}, orient="row")


def odd_numbers(
    database: Path, table: Table, stored: Sequence[str], where: str
) -> dict[str, list[int]]:
    """Return the numbers of the rows whose cells do not fit their column, by column.

    Of a column that is not known, no cell fits; NULL is everywhere at home.
    """
    known = [column for column in table.columns if column.name in stored]
    found: dict[str, list[int]] = {}
    with arrow_connection(immutable_uri(database)) as connection:
        execute(connection, f"PRAGMA mmap_size = {_MAPPED_BYTES}")
        conditions = {column.name: odd_condition(column) for column in known}
        conditions |= {
            name: f"{quoted(name)} IS NOT NULL" for name in stored if name not in table.names
        }
        any_odd = " OR ".join(conditions.values()) or "false"
        flags = ", ".join(f"{c} AS {quoted(framed(n))}" for n, c in conditions.items())
        zeros = ", ".join(f"0 AS {quoted(framed(n))}" for n in conditions)
        query = (
            f"SELECT 0 AS {quoted(ROWID)}, {zeros} UNION ALL SELECT {table.rowid}, {flags} "
            f"FROM {quoted(table.name)} WHERE ({where}) AND ({any_odd})"
        )
        read = pl.from_arrow(fetch(connection, query).slice(1))
    assert isinstance(read, pl.DataFrame)  # noqa: S101 - a table is never a series
    for name in conditions:
        numbers = read.filter(pl.col(framed(name)).cast(pl.Int64) == 1)[ROWID].cast(pl.Int64)
        if len(numbers):
            found[name] = numbers.to_list()
    return found


def known_only(table: Table, stored: Sequence[str]) -> tuple[str, ...]:
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
        raise NotALiteral("no JSON object")
    for column, text in cells.items():
        expression, value = _bound(str(text))
        yield column, expression, value


def _bound(text: str) -> tuple[str, object]:
    if _INTEGER.fullmatch(text) and -_MOST_INTEGER <= int(text) < _MOST_INTEGER:
        return "?", int(text)
    if _REAL.fullmatch(text):
        return "?", float(text)
    if found := _BLOB.fullmatch(text):
        return "?", bytes.fromhex(found[1])
    if found := _BYTES.fullmatch(text):
        return "CAST(? AS TEXT)", bytes.fromhex(found[1])
    if found := _TEXT.fullmatch(text):
        return "?", found[1].replace("''", "'")
    raise NotALiteral("no literal of one cell")
