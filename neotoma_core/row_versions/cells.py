"""Archived rows as frames of stored rows have them: every cell a text; see ``cells``."""

import orjson
import polars as pl

from neotoma_core.neotoma.cells import ODD, cell_of_text, sql_of_literal
from neotoma_core.neotoma.frames import ROWID, cell_of_number, is_odd
from neotoma_core.neotoma.tables import Table
from neotoma_core.row_versions.columns import ODD as ODD_CELLS


def cells_of_archived(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Return archived rows as cells: ``_rowid`` and the table's columns, order kept.

    ``rows``: typed, with ``_odd``. Raises NotALiteral.
    """
    numbers = [column.name for column in table.columns if column.type != "TEXT"]
    cells = rows.with_columns(pl.col(numbers).cast(pl.String))
    for name in table.names:
        if name not in numbers and cells.select(is_odd(pl.col(name)).any()).item():
            respelled = [c if c is None else cell_of_text(c.encode()) for c in cells[name]]
            cells = cells.with_columns(pl.Series(name, respelled, dtype=pl.String))
    odd = cells.with_row_index("_place").drop_nulls(ODD_CELLS)
    for place, document in odd.select("_place", ODD_CELLS).iter_rows():
        for name, literal in orjson.loads(document).items():
            if name in table.names:
                cell = _cell(table, name, str(literal))
                cells = cells.with_columns(cells[name].scatter(place, cell))
    return cells.select(ROWID, *table.names)


def _cell(table: Table, name: str, literal: str) -> str:
    _, value = sql_of_literal(literal)
    kind = table.column(name).type
    if kind != "TEXT" and isinstance(value, int | float):
        return cell_of_number(value, whole=kind == "INTEGER")
    return ODD + literal
