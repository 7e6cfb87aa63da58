"""Which of two versions of a row is kept, once it is known how they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from neotoma_core.lineage.ancestry import Ancestry
from neotoma_core.lineage.offers import CLAIMED, secondary_keys
from neotoma_core.merge.classify import CLASS, KEPT, RESENT, STANDS_IN
from neotoma_core.merge.decisions import BY, DECISIONS, KEEP, SOURCE_SIDE, TARGET_SIDE
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.merge.proven_rows import BY_ID
from neotoma_core.neotoma.frames import ORIGIN, TARGET
from neotoma_core.neotoma.json import instant_ms
from neotoma_core.neotoma.tables import Table


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides between two versions of a row.

    ``decisions``: see ``decisions.DECISIONS``. ``ancestry``: None where ancestors do not count.
    ``earlier``: see ``proven_rows.earlier_names``.
    """

    policy: MergePolicy
    decisions: pl.DataFrame = field(default_factory=DECISIONS.to_frame)
    ancestry: Ancestry | None = None
    earlier: Mapping[str, Sequence[str]] = field(default_factory=dict)


def by_mode(table: Table, found: pl.DataFrame, policy: MergePolicy, *, first: bool) -> pl.DataFrame:
    """Let the mode say what is kept in the conflicts that nothing else decided.

    Credentials of the target are kept whatever the mode: none that was revoked comes back to life.
    ``first``: whether the rows are the first of their backup with their key; others replace none.
    """
    is_conflict = pl.col(CLASS) == "conflict"
    replaces = first and policy.mode == "keep-source" and table.kind != "secret"
    chosen = pl.when(_gives_way(found) & pl.lit(replaces)).then(pl.lit(SOURCE_SIDE))
    settled = found.with_columns(
        pl.when(is_conflict & pl.col(KEEP).is_null())
        .then(chosen.otherwise(pl.lit(TARGET_SIDE)))
        .otherwise(KEEP)
        .alias(KEEP),
        pl.when(is_conflict & pl.col(BY).is_null()).then(pl.lit("mode")).otherwise(BY).alias(BY),
    )
    # What an id proves never had the key that it has now: only a third row may be in the way.
    proven = pl.col(BY).eq(BY_ID) & pl.col(STANDS_IN).is_null()
    barred = pl.col(KEEP).eq(SOURCE_SIDE) & _takes_a_key(table, found.columns) & ~proven
    return settled.with_columns(
        pl.when(barred).then(pl.lit(TARGET_SIDE)).otherwise(KEEP).alias(KEEP),
        pl.when(barred).then(pl.lit("unique")).otherwise(BY).alias(BY),
    )


def _gives_way(found: pl.DataFrame) -> pl.Expr:
    """Return whether the merged row is the target's, and no backup before has it, too.

    Of backups that share a row the first wins, also where it says what the target does.
    """
    from_target = pl.col(KEPT + ORIGIN) == TARGET
    claimed = KEPT + CLAIMED
    if claimed not in found.columns:
        return from_target
    return from_target & ~pl.col(claimed).fill_null(value=False)


def _takes_a_key(table: Table, columns: Sequence[str]) -> pl.Expr:
    """Return whether a version has another further unique key than the row it would replace.

    A third row may have that key, or may have been remapped to the row for the key it has now.
    """
    taken = pl.lit(value=False)
    for key in secondary_keys(table):
        if not {KEPT + name for name in key} <= set(columns):
            continue
        differs = pl.any_horizontal(pl.col(n).ne_missing(pl.col(KEPT + n)) for n in key)
        stood_for = pl.all_horizontal(pl.col(KEPT + n).is_not_null() for n in key)
        taken = taken | (differs & (stood_for | pl.col(STANDS_IN).is_not_null()))
    return taken


def replacing_rows(table: Table, found: pl.DataFrame, policy: MergePolicy) -> pl.Series:
    """Return which incoming rows take the place of the merged row with their key."""
    # A row that was moved may have been sent again as well.
    reingested = pl.col(CLASS).is_in(["reingested", "moved"]) & pl.col(RESENT)
    two_versions = pl.col(CLASS).is_in(["conflict", "three_way"])
    wins = two_versions & (pl.col(KEEP) == SOURCE_SIDE)
    if policy.mode == "keep-source" and policy.reingested == "by-mode" and table.kind != "secret":
        wins = wins | (_gives_way(found) & reingested)
    if policy.reingested == "keep-earliest" and "observed_at" in found.columns:
        wins = wins | (reingested & _is_earlier(found))
    return found.select(wins.fill_null(value=False).alias("wins"))["wins"]


def _is_earlier(found: pl.DataFrame) -> pl.Series:
    """Return which rows that were sent again were observed, then created, before the merged row."""
    times = ["observed_at", "created_at"]
    resent = found.with_row_index("_place").filter(RESENT)
    earlier = [
        row["_place"]
        for row in resent.select("_place", *times, *(KEPT + t for t in times)).iter_rows(named=True)
        if _moment(row, "") < _moment(row, KEPT)
    ]
    places = pl.Series("_place", earlier, dtype=pl.UInt32)
    return found.select(pl.int_range(pl.len(), dtype=pl.UInt32).is_in(places.implode())).to_series()


def _moment(row: Mapping[str, str | None], prefix: str) -> tuple[float, ...]:
    instants = (instant_ms(row[prefix + name]) for name in ("observed_at", "created_at"))
    return tuple(float("inf") if instant is None else instant for instant in instants)
