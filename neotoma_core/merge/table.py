"""Merging one table: what each backup adds, repeats, contradicts.

If backups share a row, the first listed wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from neotoma_core.lineage.offers import CLAIMED, Offered, as_merged
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.choosing import Rules, by_mode, replacing_rows
from neotoma_core.merge.classify import CLASS, DIFFERS, KEPT, STANDS_IN, classify, repeats
from neotoma_core.merge.decisions import BY, KEEP, apply_decisions
from neotoma_core.merge.proven_rows import ALTERED, find_altered, prefer_proven
from neotoma_core.merge.three_way import resolve_three_way
from neotoma_core.neotoma.frames import ORIGIN, ROWID, TARGET, TARGET_ROWID, values_of
from neotoma_core.neotoma.json import stringify
from neotoma_core.neotoma.tables import Table

CONFLICTS: Final = pl.Schema(
    [
        ("backup", pl.Int32()),
        ("table", pl.String()),
        ("key", pl.String()),
        ("columns", pl.List(pl.String)),
        ("keep", pl.String()),
        ("by", pl.String()),
    ]
)
REMAPPED: Final = pl.Schema({"backup": pl.Int32, "old": pl.String, "new": pl.String})


@dataclass(frozen=True, slots=True)
class TableMerge:
    """One table, merged.

    ``merged``: every row of the result (a merged frame). ``conflicts``: one row per row that has
    another version here, with the columns that differ, the side that is kept, and what says so:
    ``mode``, ``decision``, ``three-way``, ``id``, or ``unique`` where the other version would take
    a key of a third row. ``resent``: the keys of rows that were merely sent again, each once.
    ``remapped``: one row per id that another stands for. ``rewritten``: (_origin, _rowid, column,
    value) of the cells of ``merged`` that are not as stored. ``altered``: (_origin, table, key) of
    versions whose id is the hash of another one.
    """

    table: Table
    merged: pl.DataFrame
    counts: tuple[RowCounts, ...]
    conflicts: pl.DataFrame
    resent: pl.DataFrame
    remapped: pl.DataFrame
    rewritten: pl.DataFrame
    altered: pl.DataFrame = field(default_factory=ALTERED.to_frame)

    @property
    def writes(self) -> int:
        """How many rows will be inserted or replaced."""
        return self.inserted.height + self.replaced.height

    @property
    def inserted(self) -> pl.DataFrame:
        """Rows that the target does not have, in the order in which they are to be inserted."""
        return self.merged.filter(pl.col(TARGET_ROWID).is_null())

    @property
    def replaced(self) -> pl.DataFrame:
        """Rows of the target that another version takes the place of, or their own, rewritten."""
        kept = self.merged.filter(pl.col(TARGET_ROWID).is_not_null())
        changed = self.rewritten.filter(pl.col(ORIGIN) == TARGET)[ROWID]
        own = pl.col(ORIGIN) == TARGET
        return kept.filter(~own | pl.col(TARGET_ROWID).is_in(changed.implode()))


@dataclass(frozen=True, slots=True)
class _Fold:
    """The rows of one table on their way into one another, backup by backup."""

    table: Table
    offers: Mapping[int, Offered]
    rules: Rules

    @property
    def columns(self) -> dict[int, frozenset[str]]:
        return {origin: offered.columns for origin, offered in self.offers.items()}

    def add(self, merged: pl.DataFrame, number: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows of backup ``number`` judged, and the merged rows with them in."""
        rows = self.offers[number].rows
        judged: list[pl.DataFrame] = []
        while True:
            # A row that repeats a key of its own backup is judged once the first one is in.
            later = repeats(self.table, rows)
            found = self._judge(merged, rows.filter(~later), number, first=not judged)
            merged = self._with_backup(merged, found, number)
            judged.append(found)
            rows = rows.filter(later)
            if rows.is_empty():
                return pl.concat(judged, how="diagonal"), merged

    def _judge(
        self, merged: pl.DataFrame, rows: pl.DataFrame, number: int, *, first: bool
    ) -> pl.DataFrame:
        """Return rows with their class and, where there are two versions, what is kept."""
        found = classify(self.table, merged, rows, self.columns, number)
        if self.rules.ancestry is None:
            nothing = pl.lit(None, pl.String)
            found = found.with_columns(nothing.alias(KEEP), nothing.alias(BY))
        else:
            found = resolve_three_way(self.table, found, number, self.offers, self.rules.ancestry)
        found = prefer_proven(self.table, found, number, self.offers, self.rules.earlier)
        spoken = self.rules.decisions.filter(
            pl.col("backup") == number, pl.col("table") == self.table.name
        )
        if spoken.height:
            found = apply_decisions(found, key_texts(self.table, found), spoken)
        return by_mode(self.table, found, self.rules.policy, first=first)

    def _with_backup(self, merged: pl.DataFrame, found: pl.DataFrame, number: int) -> pl.DataFrame:
        replacing = found.filter(replacing_rows(self.table, found, self.rules.policy))
        if replacing.height:
            replaced = replacing.select(
                pl.col(KEPT + ROWID).alias(ROWID), pl.col(KEPT + ORIGIN).alias(ORIGIN)
            )
            merged = merged.join(replaced, on=(ROWID, ORIGIN), how="anti", maintain_order="left")
            replacing = replacing.with_columns(
                pl.col(KEPT + name).alias(name) for name in self.table.stays
            )
        if self.rules.policy.mode == "keep-source":
            merged = _mark_claimed(merged, found)
        inserted = found.filter(pl.col(CLASS) == "inserted")
        return pl.concat(
            [
                merged,
                as_merged(replacing, number, pl.col(KEPT + TARGET_ROWID)),
                as_merged(inserted, number, pl.lit(None)),
            ],
            how="diagonal",
        )


def _mark_claimed(merged: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return merged rows, those of the target marked that a backup has; ``found``: its rows."""
    held = found.filter(pl.col(KEPT + ORIGIN) == TARGET)[KEPT + ROWID]
    marks = (pl.col(ORIGIN) == TARGET) & pl.col(ROWID).is_in(held.implode())
    before = pl.col(CLAIMED) if CLAIMED in merged.columns else pl.lit(value=False)
    return merged.with_columns((before.fill_null(value=False) | marks).alias(CLAIMED))


def merge_table(
    table: Table, target: Offered, backups: Sequence[Offered], rules: Rules
) -> TableMerge:
    """Merge what ``backups`` offer for one table into the rows of ``target``.

    Primary keys are unique and not NULL in each frame; the contracts saw to that.
    """
    merged = as_merged(target.rows, TARGET, pl.col(ROWID))
    no_keys = pl.DataFrame(schema={"key": pl.String})
    offers = {TARGET: target, **dict(enumerate(backups))}
    fold = _Fold(table, offers, rules)
    judged = {}
    for number, backup in enumerate(backups):
        if backup.rows.height:
            judged[number], merged = fold.add(merged, number)
    return TableMerge(
        table,
        _in_order_of_insertion(table, merged, backups),
        tuple(
            _counts(table, number, judged.get(number), backup)
            for number, backup in enumerate(backups)
        ),
        pl.concat([CONFLICTS.to_frame(), *(_conflicts(table, n, f) for n, f in judged.items())]),
        pl.concat([no_keys, *(_keys(table, f, "reingested") for f in judged.values())])
        .unique()
        .sort("key"),
        pl.concat([REMAPPED.to_frame(), *(_find_remapped(n, f) for n, f in judged.items())]),
        find_rewritten_cells(merged, offers),
        pl.concat([ALTERED.to_frame(), *(_find_altered(table, n, f) for n, f in judged.items())]),
    )


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


def _counts(table: Table, number: int, found: pl.DataFrame | None, offered: Offered) -> RowCounts:
    classes = {} if found is None else dict(found[CLASS].value_counts().iter_rows())
    classes["identical"] = classes.get("identical", 0) + offered.alike
    return RowCounts(
        number,
        table.name,
        offered.read,
        quarantined=offered.quarantined,
        skipped=sum(offered.skipped.values()),
        reasons=offered.skipped,
        **classes,
    )


def _conflicts(table: Table, number: int, found: pl.DataFrame) -> pl.DataFrame:
    two_versions = found.filter(pl.col(CLASS).is_in(["conflict", "three_way"]))
    return two_versions.select(
        pl.lit(number, pl.Int32).alias("backup"),
        pl.lit(table.name).alias("table"),
        key_texts(table, two_versions),
        pl.col(DIFFERS).alias("columns"),
        pl.col(KEEP).alias("keep"),
        pl.col(BY).alias("by"),
    )


def _find_altered(table: Table, number: int, found: pl.DataFrame) -> pl.DataFrame:
    return find_altered(table, found, number, key_texts(table, found))


def _keys(table: Table, found: pl.DataFrame, named: str) -> pl.DataFrame:
    """Return ``key`` of the rows of one class."""
    return key_texts(table, found.filter(pl.col(CLASS) == named)).to_frame()


def key_texts(table: Table, rows: pl.DataFrame) -> pl.Series:
    """Return what names each row: its id, or a JSON array where it takes several columns."""
    if len(table.identity) == 1:
        return rows[table.identity[0]].cast(pl.String).fill_null("NULL").alias("key")
    texts = [stringify(list(row)) for row in rows.select(table.identity).iter_rows()]
    return pl.Series("key", texts, dtype=pl.String)


def _find_remapped(number: int, found: pl.DataFrame) -> pl.DataFrame:
    if "id" not in values_of(found):
        return REMAPPED.to_frame()
    return found.filter(pl.col(CLASS) == "remapped").select(
        pl.lit(number, pl.Int32).alias("backup"),
        pl.col("id").alias("old"),
        pl.col(STANDS_IN).alias("new"),
    )


def find_rewritten_cells(merged: pl.DataFrame, offers: Mapping[int, Offered]) -> pl.DataFrame:
    """Return the cells of merged rows that are not as stored."""
    own = [
        offered.rewritten.select(pl.lit(origin, pl.Int32).alias(ORIGIN), pl.all())
        for origin, offered in offers.items()
    ]
    return pl.concat(own).join(merged.select(ORIGIN, ROWID), on=[ORIGIN, ROWID], how="semi")
