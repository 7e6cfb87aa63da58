"""What an incoming row is to the rows already merged.

inserted     nobody has its key
remapped     nobody has its key, but another row has one of its further unique keys
identical    the merged row with its key has the same values
reingested   it differs only in when it was observed and created: it was sent again
moved        it belongs to another entity in its database, since only one side knows of a merge
conflict     it differs in anything else
"""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from neotoma_core.lineage.offers import CLAIMED, MOVED_FROM, secondary_keys
from neotoma_core.neotoma.frames import ORIGIN, ROWID, TARGET_ROWID, values_of
from neotoma_core.neotoma.tables import Table

KEPT: Final = "_kept_"  # before the name of a column of the merged row
CLASS: Final = "_class"
DIFFERS: Final = "_differs"
RESENT: Final = "_resent"
STANDS_IN: Final = "_stands_in"


def classify(
    table: Table,
    merged: pl.DataFrame,
    rows: pl.DataFrame,
    columns: Mapping[int, frozenset[str]],
    number: int,
) -> pl.DataFrame:
    """Return ``rows`` of backup ``number``, each next to the merged row with its key.

    Adds the merged row's cells (``_kept_…``), ``_class``, ``_differs`` (the columns in conflict),
    ``_resent`` (whether its stamps differ) and ``_stands_in`` (the id of the merged row that a
    remapped one is the same as). ``columns`` has the columns each origin really has.
    """
    values = [name for name in values_of(rows) if name in merged.columns]
    beside = _beside(table, merged, rows, values)
    compared = columns_in_conflict(table, values)
    stamps = [name for name in values if name in table.stamps]
    known = pl.col(KEPT + ORIGIN).is_not_null()
    beside = beside.with_columns(
        _list_names([_differs(name, columns, number).alias(name) for name in compared]).alias(
            DIFFERS
        ),
        pl.any_horizontal(
            pl.lit(value=False), *(_differs(n, columns, number) for n in stamps)
        ).alias(RESENT),
    )
    # Ids that are random in every database make a stamp meaningless: such rows are the same row.
    resent = pl.col(RESENT) & pl.lit(not table.match)
    return beside.with_columns(
        pl.when(~known & pl.col(STANDS_IN).is_not_null())
        .then(pl.lit("remapped"))
        .when(~known)
        .then(pl.lit("inserted"))
        .when(pl.col(DIFFERS).list.len() > 0)
        .then(pl.lit("conflict"))
        .when(_is_moved(beside))
        .then(pl.lit("moved"))
        .when(resent)
        .then(pl.lit("reingested"))
        .otherwise(pl.lit("identical"))
        .alias(CLASS)
    )


def columns_in_conflict(table: Table, values: Sequence[str]) -> list[str]:
    """Return the columns in which a difference is a conflict."""
    return [name for name in values if name not in (*table.identity, *table.stamps)]


def _is_moved(beside: pl.DataFrame) -> pl.Expr:
    """Return whether the rows say the same only since one of them, or each, was repointed."""
    if MOVED_FROM not in beside.columns:
        return pl.lit(value=False)
    return pl.col(MOVED_FROM).ne_missing(pl.col(KEPT + MOVED_FROM))


def repeats(table: Table, rows: pl.DataFrame) -> pl.Series:
    """Return which rows come after another of the same frame that is the same by some key."""
    later = ~pl.struct(table.identity).is_first_distinct()
    for key in secondary_keys(table):
        present = pl.all_horizontal(pl.col(key).is_not_null())
        later = later | (present & ~pl.struct(key).is_first_distinct())
    return rows.select(later.alias("later"))["later"]


def _beside(
    table: Table, merged: pl.DataFrame, rows: pl.DataFrame, values: list[str]
) -> pl.DataFrame:
    kept = merged.select(
        *table.identity,
        *(
            pl.col(name).alias(KEPT + name)
            for name in (*values, MOVED_FROM, CLAIMED, ROWID, ORIGIN, TARGET_ROWID)
            if name in merged.columns and name not in table.identity
        ),
    )
    if table.match:
        kept = _closest(table, kept, rows, values)
    beside = rows.join(kept, on=table.identity, how="left", nulls_equal=True, maintain_order="left")
    return beside.with_columns(_stands_in(table, rows, merged))


def _closest(
    table: Table, kept: pl.DataFrame, rows: pl.DataFrame, values: list[str]
) -> pl.DataFrame:
    """Return one row for each identity: Neotoma goes by the first, and so do we.

    A registry may hold one identity twice. Then a row that is there in another place than the first
    is still there: of an identity that ``rows`` has once, the row like it comes first.
    """
    compared = columns_in_conflict(table, values)
    there = rows.select(*table.identity, *compared, _alike=True).unique()
    alike = kept.join(
        there,
        left_on=[*table.identity, *(KEPT + name for name in compared)],
        right_on=[*table.identity, *compared],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    best_first = alike.sort("_alike", descending=True, nulls_last=True, maintain_order=True)
    return best_first.unique(table.identity, keep="first", maintain_order=True).drop("_alike")


def _stands_in(table: Table, rows: pl.DataFrame, merged: pl.DataFrame) -> pl.Series:
    found = pl.Series(STANDS_IN, [None], dtype=pl.String).new_from_index(0, rows.height)
    for key in secondary_keys(table):
        holders = merged.drop_nulls(key).select(*key, pl.col("id").alias(STANDS_IN))
        holders = holders.unique(key, keep="first", maintain_order=True)
        holder = rows.join(holders, on=key, how="left", maintain_order="left")[STANDS_IN]
        found = found.zip_with(found.is_not_null(), holder)
    return found


def _differs(name: str, columns: Mapping[int, frozenset[str]], number: int) -> pl.Expr:
    """Return whether a cell differs; a column that one side does not have says nothing."""
    if name not in columns[number]:
        return pl.lit(value=False)
    lacking = [origin for origin, names in columns.items() if name not in names]
    different = pl.col(name).ne_missing(pl.col(KEPT + name))
    known = pl.col(KEPT + ORIGIN).is_not_null()
    return known & different & ~pl.col(KEPT + ORIGIN).is_in(lacking)


def _list_names(differences: list[pl.Expr]) -> pl.Expr:
    if not differences:
        return pl.lit([], dtype=pl.List(pl.String))
    names = [pl.when(d).then(pl.lit(d.meta.output_name())) for d in differences]
    return pl.concat_list(names).list.drop_nulls()
