"""Frames of stored rows: their cells, and the columns Midden adds.

Cells are text, whatever the column declares; see ``cells``. Midden's own columns start with an
underscore; Neotoma's do not. A column that Neotoma does not know may have any
name: where that could be taken for something else, the frame has it behind an equals sign.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from neotoma_core.neotoma.cells import (
    MOST_INTEGER,
    ODD,
    javascript_number,
    javascript_text,
    javascript_value,
    sqlite_value,
)
from neotoma_core.neotoma.tables import Column, Index, Table

ROWID: Final = "_rowid"  # the row's number in its own database
ORIGIN: Final = "_origin"  # which database a row comes from: TARGET, or the number of a backup
TARGET_ROWID: Final = "_target_rowid"  # the row's number in the target; NULL where it has none
TARGET: Final = -1

POLARS_TYPES: Final = {"TEXT": pl.String, "INTEGER": pl.Int64, "REAL": pl.Float64}

_PLAIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_ESCAPE: Final = "="


def empty_rows(table: Table) -> pl.DataFrame:
    """Return a frame of ``table`` without rows: what a database without the table holds.

    Of a carried table: as ``frame_table`` returns it.
    """
    return pl.DataFrame(schema=frame_schema(table))


def no_broken() -> pl.DataFrame:
    """Return an empty frame of broken rows: ``_rowid``, ``column``, ``reason``."""
    return pl.DataFrame(schema={ROWID: pl.Int64, "column": pl.String, "reason": pl.String})


def frame_schema(table: Table) -> dict[str, pl.DataType]:
    """Return the columns of a frame of ``table``: ``_rowid`` and its cells."""
    return {ROWID: pl.Int64(), **dict.fromkeys(table.names, pl.String())}


def frame_name(name: str) -> str:
    """Return what a frame calls the stored column ``name``."""
    return name if _PLAIN_NAME.fullmatch(name) else _ESCAPE + name


def name_in_database(name: str) -> str:
    """Return what a database calls the column of a frame ``name``."""
    return name.removeprefix(_ESCAPE)


def frame_table(table: Table) -> Table:
    """Return the facts of a carried table with every column called as frames call it."""
    return replace(
        table,
        columns=tuple(_rename(column) for column in table.columns),
        key=tuple(map(frame_name, table.key)),
        indexes=tuple(
            Index(i.name, tuple(map(frame_name, i.columns)), unique=i.unique) for i in table.indexes
        ),
    )


def _rename(column: Column) -> Column:
    return replace(column, name=frame_name(column.name))


def values_of(frame: pl.DataFrame) -> list[str]:
    """Return the columns of a frame that come from the database."""
    return [name for name in frame.columns if not name.startswith("_")]


def is_odd(cell: pl.Expr) -> pl.Expr:
    """Tell the cells that are spelled as a literal."""
    return cell.str.starts_with(ODD)


def holds_odd(rows: pl.DataFrame, columns: Sequence[str]) -> bool:
    """Return whether any of some columns of text has a cell that is spelled as a literal."""
    tests = [is_odd(pl.col(name)).any() for name in columns]
    return bool(rows.select(pl.any_horizontal(pl.lit(value=False), *tests)).item())


def cell_of_number(value: float, *, whole: bool) -> str:
    """Return the cell of a number as its column would hold it, had it been put there.

    ``whole``: the column is declared to hold integers.
    """
    if whole and float(value).is_integer() and abs(value) < MOST_INTEGER:
        return str(int(value))
    return str(pl.Series([value], dtype=pl.Float64).cast(pl.String).item())


def as_javascript_reads(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return rows with what JavaScript reads of some columns of text."""
    return _replace(rows, columns, javascript_text)


def _replace(
    rows: pl.DataFrame, columns: Sequence[str], function: Callable[[str], str]
) -> pl.DataFrame:
    odd = [name for name in columns if holds_odd(rows, [name])]
    for name in odd:
        cells = rows.filter(is_odd(pl.col(name)))[name].unique()
        read = [function(cell) for cell in cells]
        rows = rows.with_columns(pl.col(name).replace(cells.to_list(), read))
    return rows


def numbers_of(cells: pl.Series) -> pl.Series:
    """Return cells of numbers as the doubles JavaScript computes with; NULL stays NULL."""
    plain = cells.cast(pl.Float64, strict=False)
    odd = cells.is_not_null() & plain.is_null()
    if not odd.any():
        return plain
    read = (javascript_value(sqlite_value(cell)) for cell in cells.filter(odd))
    spelled = [javascript_number(value) for value in read]
    return plain.scatter(odd.arg_true(), pl.Series(spelled, dtype=pl.Float64))
