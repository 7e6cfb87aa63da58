"""Differences that only one of two sides made since a common ancestor: no conflicts."""

from collections.abc import Mapping

import polars as pl

from neotoma_core.lineage.ancestry import Ancestry
from neotoma_core.lineage.offers import Offered
from neotoma_core.merge.classify import CLASS, DIFFERS, KEPT
from neotoma_core.merge.decisions import BY, KEEP, SOURCE_SIDE, TARGET_SIDE
from neotoma_core.neotoma.frames import ORIGIN, ROWID
from neotoma_core.neotoma.tables import Table

_WAS = "_was_"


def resolve_three_way(
    table: Table,
    found: pl.DataFrame,
    number: int,
    offers: Mapping[int, Offered],
    ancestry: Ancestry,
) -> pl.DataFrame:
    """Return ``found`` with ``_keep`` and ``_by`` of the conflicts that an ancestor resolves.

    ``found``: judged rows of backup ``number``, see ``classify``; those it resolves are of the
    class ``three_way``. ``offers``: the table's rows by origin.
    """
    undecided = found.with_columns(
        pl.lit(None, pl.String).alias(KEEP), pl.lit(None, pl.String).alias(BY)
    )
    conflicts = found.filter(pl.col(CLASS) == "conflict")
    sides = [
        _one_sided(table, rows, offers[ancestor])
        for (origin,), rows in conflicts.partition_by(KEPT + ORIGIN, as_dict=True).items()
        if (ancestor := ancestry.common(int(str(origin)), number)) is not None
    ]
    if not sides:
        return undecided
    beside = undecided.join(pl.concat(sides), on=ROWID, how="left", maintain_order="left")
    by_one = pl.col("_side").is_not_null()
    return beside.with_columns(
        pl.when(by_one).then(pl.lit("three_way")).otherwise(CLASS).alias(CLASS),
        pl.col("_side").alias(KEEP),
        pl.when(by_one).then(pl.lit("three-way")).otherwise(BY).alias(BY),
    ).drop("_side")


def _one_sided(table: Table, conflicts: pl.DataFrame, ancestor: Offered) -> pl.DataFrame:
    """Return (_rowid, _side) of the rows in which all differences were made by one side."""
    names = sorted(set(conflicts[DIFFERS].explode()) & ancestor.columns)
    base = ancestor.rows.unique(table.identity, keep="first", maintain_order=True).select(
        *table.identity, *(pl.col(name).alias(_WAS + name) for name in names)
    )
    beside = conflicts.join(base, on=table.identity, how="inner", nulls_equal=True)
    beyond = pl.col(DIFFERS).list.set_difference(pl.lit(names, dtype=pl.List(pl.String)))
    comparable = beyond.list.len() == 0
    kept_as_before = _same(names, prefix=KEPT)
    source_as_before = _same(names, prefix="")
    return beside.select(
        ROWID,
        pl.when(~comparable)
        .then(None)
        .when(kept_as_before & ~source_as_before)
        .then(pl.lit(SOURCE_SIDE))
        .when(source_as_before & ~kept_as_before)
        .then(pl.lit(TARGET_SIDE))
        .alias("_side"),
    ).drop_nulls("_side")


def _same(names: list[str], *, prefix: str) -> pl.Expr:
    """Return whether every column that differs is as the ancestor has it."""
    return pl.all_horizontal(
        pl.lit(value=True),
        *(
            ~pl.col(DIFFERS).list.contains(name)
            | pl.col(prefix + name).eq_missing(pl.col(_WAS + name))
            for name in names
        ),
    )
