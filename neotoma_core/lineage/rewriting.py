"""Putting other cells into offered rows, on record."""

from dataclasses import replace

import polars as pl

from neotoma_core.lineage.offers import MOVED_FROM, REWRITTEN, Offered
from neotoma_core.neotoma.frames import ROWID


def rewrite_cells(offered: Offered, cells: pl.DataFrame) -> Offered:
    """Return ``offered`` with other cells in some rows.

    ``cells``: ``_rowid`` and the text columns to rewrite, one row per row that changes.
    """
    if cells.is_empty():
        return offered
    names = [name for name in cells.columns if name != ROWID]
    new = cells.select(ROWID, *(pl.col(name).alias(f"_new_{name}") for name in names), _new=True)
    beside = offered.rows.join(new, on=ROWID, how="left", maintain_order="left")
    rows = beside.with_columns(
        pl.when("_new").then(f"_new_{name}").otherwise(name).alias(name) for name in names
    ).select(offered.rows.columns)
    record = cells.unpivot(names, index=ROWID, variable_name="column", value_name="value")
    return replace(
        offered, rows=rows, rewritten=pl.concat([offered.rewritten, record.select(*REWRITTEN)])
    )


def move(offered: Offered, cells: pl.DataFrame) -> Offered:
    """Rewrite, and note in ``_moved_from`` what those cells said before."""
    names = [name for name in cells.columns if name != ROWID]
    if MOVED_FROM not in offered.rows.columns:
        unmoved = offered.rows.with_columns(pl.lit(None, pl.String).alias(MOVED_FROM))
        offered = replace(offered, rows=unmoved)
    if cells.is_empty():
        return offered
    before = offered.rows.join(cells.select(ROWID), on=ROWID, how="semi").select(
        ROWID, _before=pl.concat_str(pl.col(names).fill_null("\0"), separator="\x1f")
    )
    noted = offered.rows.join(before, on=ROWID, how="left", maintain_order="left")
    rows = noted.with_columns(pl.coalesce(MOVED_FROM, "_before").alias(MOVED_FROM))
    return rewrite_cells(replace(offered, rows=rows.drop("_before")), cells)
