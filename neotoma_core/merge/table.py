"""Merging one table: what each backup adds, repeats, contradicts.

Backups are taken in the order given: the first that has a row wins over later ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.canonical import instant_ms
from neotoma_core.frames import ORIGIN, ROWID, TARGET, TARGET_ROWID, values_of
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.classify import CLASS, DIFFERS, KEPT, STANDS_IN, classify, repeats
from neotoma_core.merge.frames import Offered, as_merged
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.tables import Table

_KEY_SEPARATOR: Final = " · "
CONFLICTS: Final = pl.Schema(
    [
        ("backup", pl.Int32()),
        ("table", pl.String()),
        ("key", pl.String()),
        ("columns", pl.List(pl.String)),
    ]
)
REMAPPED: Final = pl.Schema({"backup": pl.Int32, "old": pl.String, "new": pl.String})


@dataclass(frozen=True, slots=True)
class TableMerge:
    """One table, merged.

    ``merged``: every row of the result (a merged frame). ``conflicts``: one row per row in
    conflict, with the columns that differ. ``resent``: the keys of rows that were merely sent
    again, each once. ``remapped``: one row per id that another stands for.
    """

    table: Table
    merged: pl.DataFrame
    counts: tuple[RowCounts, ...]
    conflicts: pl.DataFrame
    resent: pl.DataFrame
    remapped: pl.DataFrame

    @property
    def inserted(self) -> pl.DataFrame:
        """Rows that the target does not have, in the order in which they are to be inserted."""
        return self.merged.filter(pl.col(TARGET_ROWID).is_null())

    @property
    def replaced(self) -> pl.DataFrame:
        """Rows of the target that another version takes the place of."""
        return self.merged.filter(pl.col(TARGET_ROWID).is_not_null() & (pl.col(ORIGIN) != TARGET))


def merge_table(
    table: Table, target: Offered, backups: Sequence[Offered], policy: MergePolicy
) -> TableMerge:
    """Merge what ``backups`` offer for one table into the rows of ``target``.

    Primary keys are unique and not NULL in each frame; the contracts saw to that.
    """
    merged = as_merged(target.rows, TARGET, pl.col(ROWID))
    no_keys = pl.DataFrame(schema={"key": pl.String})
    columns = {TARGET: target.columns}
    judged = {}
    for number, backup in enumerate(backups):
        columns[number] = backup.columns
        if backup.rows.height:
            judged[number], merged = _merge_backup(
                table, merged, backup.rows, columns, number, policy
            )
    return TableMerge(
        table,
        _in_order_of_insertion(table, merged, backups),
        tuple(
            _counts(table, number, judged.get(number), backup.quarantined)
            for number, backup in enumerate(backups)
        ),
        pl.concat([CONFLICTS.to_frame(), *(_conflicts(table, n, f) for n, f in judged.items())]),
        pl.concat([no_keys, *(_keys(table, f, "reingested") for f in judged.values())])
        .unique()
        .sort("key"),
        pl.concat([REMAPPED.to_frame(), *(_remapped(n, f) for n, f in judged.items())]),
    )


def _merge_backup(  # noqa: PLR0913, PLR0917 - one backup, in its place in the fold
    table: Table,
    merged: pl.DataFrame,
    rows: pl.DataFrame,
    columns: dict[int, frozenset[str]],
    number: int,
    policy: MergePolicy,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the backup's rows judged, and the merged rows with the backup in them."""
    judged = []
    while True:
        # A row that repeats a key of its own backup is judged once the first one is in.
        later = repeats(table, rows)
        found = classify(table, merged, rows.filter(~later), columns, number)
        merged = _with_backup(merged, found, number, policy)
        judged.append(found)
        rows = rows.filter(later)
        if rows.is_empty():
            return pl.concat(judged, how="diagonal"), merged


def _with_backup(
    merged: pl.DataFrame, found: pl.DataFrame, number: int, policy: MergePolicy
) -> pl.DataFrame:
    replacing = found.filter(_replaces(found, policy))
    if replacing.height:
        replaced = replacing.select(
            pl.col(KEPT + ROWID).alias(ROWID), pl.col(KEPT + ORIGIN).alias(ORIGIN)
        )
        merged = merged.join(replaced, on=(ROWID, ORIGIN), how="anti", maintain_order="left")
    inserted = found.filter(pl.col(CLASS) == "inserted")
    return pl.concat(
        [
            merged,
            as_merged(replacing, number, pl.col(KEPT + TARGET_ROWID)),
            as_merged(inserted, number, pl.lit(None)),
        ],
        how="diagonal",
    )


def _replaces(found: pl.DataFrame, policy: MergePolicy) -> pl.Series:
    """Return which incoming rows take the place of the merged row with their key."""
    from_target = pl.col(KEPT + ORIGIN) == TARGET
    reingested = pl.col(CLASS) == "reingested"
    wins = pl.lit(value=False)
    if policy.mode == "keep-source":
        wins = from_target & (pl.col(CLASS) == "conflict")
        if policy.reingested == "by-mode":
            wins = wins | (from_target & reingested)
    if policy.reingested == "keep-earliest" and "observed_at" in found.columns:
        wins = wins | (reingested & _is_earlier(found))
    return found.select(wins.fill_null(value=False).alias("wins"))["wins"]


def _is_earlier(found: pl.DataFrame) -> pl.Series:
    """Return which re-ingested rows were observed, then created, before the merged row."""
    earlier = [
        row[CLASS] == "reingested" and _moment(row, "") < _moment(row, KEPT)
        for row in found.select(
            CLASS,
            "observed_at",
            "created_at",
            KEPT + "observed_at",
            KEPT + "created_at",
        ).iter_rows(named=True)
    ]
    return pl.Series("earlier", earlier, dtype=pl.Boolean)


def _moment(row: dict[str, str | None], prefix: str) -> tuple[float, ...]:
    instants = (instant_ms(row[prefix + name]) for name in ("observed_at", "created_at"))
    return tuple(float("inf") if instant is None else instant for instant in instants)


def _in_order_of_insertion(
    table: Table, merged: pl.DataFrame, backups: Sequence[Offered]
) -> pl.DataFrame:
    """Return the target's rows as they lie, then the others as they lay in their backups.

    Among active registry rows the first inserted decides (format, 3.1): so the place of a row is
    the lowest it has in any backup, which does not depend on the order of the backups.
    """
    if not table.match or not backups:
        return merged.sort(TARGET_ROWID, ORIGIN, ROWID, nulls_last=True)
    places = (
        pl.concat([backup.rows.select(*table.match, ROWID) for backup in backups])
        .group_by(table.match)
        .agg(pl.col(ROWID).min().alias("_place"))
    )
    return (
        merged.join(places, on=table.match, how="left", nulls_equal=True, maintain_order="left")
        .sort(TARGET_ROWID, "_place", *table.match, ORIGIN, ROWID, nulls_last=True)
        .drop("_place")
    )


def _counts(table: Table, number: int, found: pl.DataFrame | None, quarantined: int) -> RowCounts:
    classes = {} if found is None else dict(found[CLASS].value_counts().iter_rows())
    read = sum(classes.values()) + quarantined
    return RowCounts(number, table.name, read, quarantined=quarantined, **classes)


def _conflicts(table: Table, number: int, found: pl.DataFrame) -> pl.DataFrame:
    return _keys(table, found, "conflict", pl.col(DIFFERS).alias("columns")).select(
        pl.lit(number, pl.Int32).alias("backup"), pl.lit(table.name).alias("table"), pl.all()
    )


def _keys(table: Table, found: pl.DataFrame, named: str, *more: pl.Expr) -> pl.DataFrame:
    """Return ``key`` (and what ``more`` asks) of the rows of one class."""
    parts = [pl.col(name).cast(pl.String).fill_null("NULL") for name in table.identity]
    key = pl.concat_str(parts, separator=_KEY_SEPARATOR).alias("key")
    return found.filter(pl.col(CLASS) == named).select(key, *more)


def _remapped(number: int, found: pl.DataFrame) -> pl.DataFrame:
    if "id" not in values_of(found):
        return REMAPPED.to_frame()
    return found.filter(pl.col(CLASS) == "remapped").select(
        pl.lit(number, pl.Int32).alias("backup"),
        pl.col("id").alias("old"),
        pl.col(STANDS_IN).alias("new"),
    )
