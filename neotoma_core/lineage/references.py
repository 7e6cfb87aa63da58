"""References between tables: rewriting them, and finding those that lead nowhere."""

from collections.abc import Callable, Mapping

import polars as pl

from neotoma_core.lineage.offers import Offered
from neotoma_core.lineage.rewriting import rewrite_cells
from neotoma_core.neotoma.frames import ORIGIN, ROWID, TARGET
from neotoma_core.neotoma.tables import MERGED, Table

Elsewhere = Callable[[str, pl.Series], pl.Series]
"""Returns those of some ids that the target's table has in rows which no frame holds."""

DANGLING = pl.Schema({"table": pl.String, "column": pl.String, "rows": pl.Int64, "new": pl.Int64})


def nowhere(_: str, ids: pl.Series) -> pl.Series:
    """Return none of ``ids``: the frames hold all rows of the target."""
    return ids.clear()


def rewrite_references(table: Table, offered: Offered, remapped: pl.DataFrame) -> Offered:
    """Return rows of ``table`` in which references to remapped sources name the ones that stand in.

    ``remapped``: ``old`` and ``new`` ids of the ``sources`` table of the rows' own backup.
    """
    referring = [c.name for c in table.columns if c.refers == "sources"]
    if remapped.is_empty():
        return offered
    for name in referring:
        other = remapped.select(pl.col("old").alias(name), pl.col("new").alias("_new"))
        cells = offered.rows.select(ROWID, name).join(other, on=name)
        offered = rewrite_cells(offered, cells.select(ROWID, pl.col("_new").alias(name)))
    return offered


def find_dangling(
    merged: Mapping[str, pl.DataFrame],
    offered: Mapping[int, Mapping[str, Offered]],
    elsewhere: Elsewhere = nowhere,
) -> pl.DataFrame:
    """Return which references of the merged rows lead nowhere.

    ``offered``: what each origin holds. One row per table and column with ``rows`` in which the
    reference does not resolve, and ``new``: those in which it did resolve where the row came from.
    An empty text refers to nothing, as NULL does.
    """
    found = []
    for table in MERGED:
        for column in table.columns:
            if column.refers is None or table.name not in merged:
                continue
            used = merged[table.name].select(ORIGIN, pl.col(column.name).alias("id"))
            used = used.filter(pl.col("id").is_not_null() & (pl.col("id") != ""))
            lost = used.join(merged[column.refers].select("id"), on="id", how="anti")
            if lost.height:
                there = elsewhere(column.refers, lost["id"].unique())
                lost = lost.filter(~pl.col("id").is_in(there.implode()))
            if lost.height:
                new = sum(
                    part.join(_ids(offered, origin, column.refers), on="id", how="semi").height
                    for (origin,), part in lost.partition_by(ORIGIN, as_dict=True).items()
                )
                found.append((table.name, column.name, lost.height, new))
    return pl.DataFrame(found, schema=DANGLING, orient="row")


def _ids(offered: Mapping[int, Mapping[str, Offered]], origin: int, table: str) -> pl.DataFrame:
    return offered.get(origin, offered[TARGET])[table].rows.select("id")
