"""Rows with sealed values: telling, opening and sealing them. In memory only.

Sealed and plain values lie side by side in one column, and nothing but their shape tells them
apart.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from neotoma_core.errors import KeyWrong
from neotoma_core.neotoma.tables import Table

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey

# iv:tag:ciphertext in lower-case hex; there is no other marker.
SEALED_SHAPE: Final = r"^[0-9a-f]{32}:[0-9a-f]{32}:[0-9a-f]+$"
_IS_SEALED: Final = re.compile(SEALED_SHAPE.strip("^$"))
_SLICE_ROWS: Final = 1 << 16


def is_sealed(column: str) -> pl.Expr:
    """Return whether each value of a text column has the shape of an encrypted one."""
    return pl.col(column).str.contains(SEALED_SHAPE).fill_null(value=False)


def find_sealed_rows(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of ``table`` in which any value is sealed."""
    nothing = pl.lit(value=False)
    return rows.filter(pl.any_horizontal(nothing, *map(is_sealed, _sealable(table))))


def open_rows(table: Table, rows: pl.DataFrame, key: "DataKey", origin: Path) -> pl.DataFrame:
    """Return rows of ``table`` with every sealed value opened.

    ``origin`` is only named in messages. Raises KeyWrong where any value does not open.
    """
    sealed = sum(rows.select(is_sealed(name).sum()).item() for name in _sealable(table))
    opened = _each(table, rows, lambda cell: _open_cell(cell, key))
    lost = sum(opened[name].null_count() - rows[name].null_count() for name in _sealable(table))
    if lost:
        raise KeyWrong(origin, table.name, lost, sealed)
    return opened


def open_what_opens(table: Table, rows: pl.DataFrame, key: "DataKey") -> pl.DataFrame:
    """Return rows of ``table`` opened; a sealed value that does not open is NULL."""
    return _each(table, rows, lambda cell: _open_cell(cell, key))


def seal_rows(table: Table, rows: pl.DataFrame, key: "DataKey") -> pl.DataFrame:
    """Return plain rows of ``table`` with every value that encryption covers sealed."""
    return _each(table, rows, key.seal)


def open_cells(table: Table, row: Mapping[str, object], key: "DataKey") -> dict[str, object]:
    """Return one row, column → cell, with every sealed value opened; raises SealBroken."""
    sealable = _sealable(table)
    return {
        name: key.open(cell)
        if name in sealable and isinstance(cell, str) and _IS_SEALED.fullmatch(cell)
        else cell
        for name, cell in row.items()
    }


def _sealable(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.sealed)


def _open_cell(cell: str, key: "DataKey") -> str | None:
    """Return a decrypted cell; None for a sealed one that does not open."""
    if not _IS_SEALED.fullmatch(cell):
        return cell
    try:
        return key.open(cell)
    except ValueError:
        return None


def _each(table: Table, rows: pl.DataFrame, change: Callable[[str], str | None]) -> pl.DataFrame:
    """Apply ``change`` to every value that encryption covers; NULL stays NULL."""
    return rows.with_columns(_change(rows[name], change) for name in _sealable(table))


def _change(cells: pl.Series, change: Callable[[str], str | None]) -> pl.Series:
    # Slice by slice: a whole column as Python texts would be in memory twice.
    parts = [
        pl.Series(
            cells.name,
            [None if cell is None else change(cell) for cell in part],
            dtype=pl.String,
        )
        for part in (cells.slice(start, _SLICE_ROWS) for start in range(0, len(cells), _SLICE_ROWS))
    ]
    return pl.concat([cells.clear(), *parts])
