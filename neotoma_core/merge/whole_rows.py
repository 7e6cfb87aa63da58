"""Rows without a key: the whole row is what two databases mean by it.

Among rows that are equal the first is the first, the second the second: a row that a backup has
twice is there twice afterwards, however often it is merged. What is compared is what the backup
has; a column it lacks says nothing. Such rows are inserted or identical, never in conflict, but
for those that have a further unique key of another row.
"""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from neotoma_core.lineage.offers import Offered, as_merged, secondary_keys
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.choosing import Rules
from neotoma_core.merge.decisions import TARGET_SIDE
from neotoma_core.merge.table import (
    CONFLICTS,
    TableMerge,
    find_rewritten_cells,
    key_texts,
    merge_table,
)
from neotoma_core.neotoma.frames import ORIGIN, ROWID, TARGET, TARGET_ROWID, values_of
from neotoma_core.neotoma.tables import Table

_NTH = "_nth"
_PLACE = "_at"


def merge_with_keyless(
    table: Table, target: Offered, backups: Sequence[Offered], rules: Rules
) -> TableMerge:
    """Merge a table by its key, and those of its rows that have none by the whole row.

    A registry, whose keys are random in every database, is merged by what it registers.
    """
    has_key = pl.lit(value=bool(table.key))
    if not table.match:
        has_key = pl.all_horizontal(has_key, *(pl.col(name).is_not_null() for name in table.key))
    keyed = [_only(offered, has_key) for offered in (target, *backups)]
    # Rows of a carried table do not stand in for each other: nothing is known to refer to them.
    by_key = replace(table, indexes=()) if table.kind == "carried" else table
    merge = replace(merge_table(by_key, keyed[0], keyed[1:], rules), table=table)
    without = [o.rows.filter(~has_key) for o in (target, *backups)]
    if any(rows.height for rows in without):
        merge = _with_rows(merge, without[0], without[1:], [b.columns for b in backups])
        offers = {TARGET: target, **dict(enumerate(backups))}
        merge = replace(merge, rewritten=find_rewritten_cells(merge.merged, offers))
    elif table.kind != "carried":
        return merge
    return _without_collisions(merge)


def _only(offered: Offered, condition: pl.Expr) -> Offered:
    return offered.only(offered.rows.filter(condition))


def _with_rows(
    merge: TableMerge,
    target: pl.DataFrame,
    backups: Sequence[pl.DataFrame],
    columns: Sequence[frozenset[str]],
) -> TableMerge:
    """Return ``merge`` with rows without a key; ``columns``: those each backup really has."""
    merged = as_merged(target, TARGET, pl.col(ROWID))
    counts = list(merge.counts)
    for number, rows in enumerate(backups):
        new = _new(merged, rows, columns[number])
        merged = pl.concat([merged, as_merged(new, number, pl.lit(None))], how="diagonal")
        counts[number] = replace(
            counts[number],
            read=counts[number].read + rows.height,
            inserted=counts[number].inserted + new.height,
            identical=counts[number].identical + rows.height - new.height,
        )
    whole = pl.concat([merge.merged, merged], how="diagonal")
    return replace(merge, merged=whole, counts=tuple(counts))


def _new(merged: pl.DataFrame, rows: pl.DataFrame, columns: frozenset[str]) -> pl.DataFrame:
    """Return the rows that ``merged`` does not have, or has less often."""
    names = [name for name in values_of(rows) if name in columns]
    known = pl.concat([merged, rows.clear()], how="diagonal").select(names)
    return (
        _number_equal_rows(rows, names)
        .join(_number_equal_rows(known, names), on=[*names, _NTH], how="anti", nulls_equal=True)
        .sort(ROWID)
        .drop(_NTH)
    )


def _number_equal_rows(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return rows with ``_nth``: how many equal ones came before, in the order of the frame."""
    return rows.with_columns(pl.int_range(pl.len()).over(names).alias(_NTH))


def _without_collisions(merge: TableMerge) -> TableMerge:
    """Return ``merge`` without rows to insert that have a further unique key of another row.

    The row that is there stays; the other one is in conflict with it.
    """
    rows = merge.merged.with_row_index(_PLACE)
    rows = rows.sort(pl.col(TARGET_ROWID).is_null(), _PLACE)
    conflicts = []
    for key in secondary_keys(merge.table):
        present = pl.all_horizontal(pl.col(name).is_not_null() for name in key)
        held = present & ~pl.struct(key).is_first_distinct() & pl.col(TARGET_ROWID).is_null()
        conflicts.append(_conflicts(merge.table, rows.filter(held), key))
        rows = rows.filter(~held)
    lost = pl.concat([CONFLICTS.to_frame(), *conflicts])
    if lost.is_empty():
        return merge
    merged = rows.sort(_PLACE).drop(_PLACE)
    return replace(
        merge,
        merged=merged,
        rewritten=merge.rewritten.join(merged, on=[ORIGIN, ROWID], how="semi"),
        counts=tuple(_recount(c, lost.filter(backup=c.backup).height) for c in merge.counts),
        conflicts=pl.concat([merge.conflicts, lost]),
    )


def _conflicts(table: Table, rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    return rows.select(
        pl.col(ORIGIN).alias("backup"),
        pl.lit(table.name).alias("table"),
        key_texts(table, rows),
        pl.lit(list(key), dtype=pl.List(pl.String)).alias("columns"),
        pl.lit(TARGET_SIDE).alias("keep"),
        pl.lit("unique").alias("by"),
    )


def _recount(counts: RowCounts, conflicts: int) -> RowCounts:
    return replace(
        counts, inserted=counts.inserted - conflicts, conflict=counts.conflict + conflicts
    )
