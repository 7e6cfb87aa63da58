"""The decision about snapshots: from the rows of the log and the snapshots that are there.

Every operation that writes or compares snapshots decides by these two functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import polars as pl

from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.reduce.entities import reduce_entities
from neotoma_core.reduce.reduction import Reduction
from neotoma_core.reduce.relationships import reduce_relationships
from neotoma_core.snapshots.change import DerivedChange, plan_derived
from neotoma_core.snapshots.drift import Compared, keep_texts
from neotoma_core.snapshots.reading import (
    DIFFERING,
    Rules,
    complete_rows,
    differing,
    read_otherwise,
)

ENTITY_SNAPSHOTS: Final = BY_NAME["entity_snapshots"]
RELATIONSHIP_SNAPSHOTS: Final = BY_NAME["relationship_snapshots"]

Unreadable = Literal["keep", "drop"]
"""What becomes of the snapshot of something none of whose observations can be read: it stays, since
nothing better is known, or it goes, since it may mention what was erased."""

_DOCUMENTS: Final = ("snapshot", "provenance")
_TYPE_OF: Final = {"entity_snapshots": "entity_type", "relationship_snapshots": "relationship_type"}
_CLOCK: Final = {"entity_snapshots": (), "relationship_snapshots": ("computed_at",)}
"""Columns that say when a row was computed: no reason to write it again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The snapshots that are there: every one of the keys to decide about.

    ``rows``: cells, opened. ``columns``: those that the database has, and that are compared.
    """

    table: Table
    rows: pl.DataFrame
    columns: frozenset[str]

    @property
    def owners(self) -> pl.DataFrame:
        """Whose the snapshots are: (key, user_id)."""
        (key,) = self.table.key
        return self.rows.select(key, "user_id").drop_nulls(key)

    def only(self, keys: pl.Series) -> "Stored":
        """Return the snapshots of some keys."""
        (key,) = self.table.key
        return replace(self, rows=self.rows.filter(pl.col(key).is_in(keys.implode())))

    @property
    def compared(self) -> Compared:
        """What is compared: columns that the database has, but the wall clock's."""
        (key,) = self.table.key
        left_out = {key, *_CLOCK[self.table.name]}
        columns = [n for n in self.table.names if n in self.columns and n not in left_out]
        return Compared(key, _TYPE_OF[self.table.name], columns, _DOCUMENTS)


@dataclass(frozen=True, slots=True)
class Decided:
    """What is reduced of one derived table, and the change that makes.

    ``accepted``: (key) of the stored rows that other known rules explain; they stay. ``gone``:
    (key, reason) of the rows to remove. ``differing``: ``DIFFERING``.
    """

    stored: Stored
    reduction: Reduction
    change: DerivedChange
    accepted: pl.DataFrame
    gone: pl.DataFrame
    differing: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DIFFERING))

    @property
    def table(self) -> Table:
        """The derived table."""
        return self.stored.table


def decide_entities(
    observations: pl.DataFrame, stored: Stored, rules: Rules, unreadable: Unreadable = "keep"
) -> Decided:
    """Decide about entity snapshots.

    Args:
        observations: every row of the log of the entities to decide about, opened.
        stored: every snapshot of them.
        rules: see ``Rules``.
        unreadable: see ``Unreadable``.
    """
    live = rules.merged_away.without(observations, redirects=rules.rules.redirects)
    complete = complete_rows("observations", live)
    reduction = reduce_entities(complete, rules.registry, rules.rules, stored.owners)
    broken = _ids(live, "entity_id").join(_ids(complete, "entity_id"), on="entity_id", how="anti")
    kept = [reduction.unreduced, broken] if unreadable == "keep" else []
    reasons = [
        rules.merged_away.entities.select("entity_id", reason=pl.lit("merged-away")),
        reduction.deleted.select("entity_id", reason=pl.lit("deleted")),
    ]
    others = list(read_otherwise(observations, rules, stored.owners))
    explaining = [other.snapshots for other in others] if rules.choice.accepts else []
    decided = _decide(stored, reduction, kept, reasons, explaining)
    return replace(decided, differing=differing(reduction, others, rules.rules))


def decide_relationships(
    observations: pl.DataFrame, stored: Stored, unreadable: Unreadable = "keep", *, now: str
) -> Decided:
    """Decide about relationship snapshots; ``now``: ISO time of the computation."""
    key = "relationship_key"
    complete = complete_rows("relationship_observations", observations)
    reduction = reduce_relationships(complete, stored.owners, now=now)
    broken = _ids(observations, key).join(_ids(complete, key), on=key, how="anti")
    unread = reduction.unreduced.join(reduction.unreadable, on=key, how="semi")
    kept = [unread, broken] if unreadable == "keep" else []
    reasons = [reduction.unreduced.select(key, reason=pl.lit("fails in Neotoma"))]
    return _decide(stored, reduction, kept, reasons, [])


def _decide(
    stored: Stored,
    reduction: Reduction,
    kept: Sequence[pl.DataFrame],
    reasons: Sequence[pl.DataFrame],
    others: Sequence[pl.DataFrame],
) -> Decided:
    """Compare a reduction with what is stored.

    ``kept``: keys whose row stays as it is. ``reasons``: why keys have no row, the first counts.
    ``others``: snapshots by other rules, a row equal to one of these stays.
    """
    of = stored.compared
    existing = stored.rows.drop_nulls(of.key)
    snapshots = keep_texts(as_cells(reduction.snapshots), existing, of)
    accepted = _find_accepted(snapshots, existing, others, of)
    there = pl.concat([frame.select(of.key) for frame in (snapshots, accepted, *kept)])
    gone = existing.select(of.key).join(there, on=of.key, how="anti")
    change = plan_derived(
        of.key,
        existing,
        snapshots.join(accepted, on=of.key, how="anti", maintain_order="left"),
        gone,
        ignored=[n for n in stored.table.names if n not in (of.key, *of.columns)],
        columns=stored.table.names,
    )
    first = pl.concat([pl.DataFrame(schema={of.key: pl.String, "reason": pl.String}), *reasons])
    first = first.unique(of.key, keep="first", maintain_order=True)
    why = gone.join(first, on=of.key, how="left").with_columns(
        pl.col("reason").fill_null("no observations")
    )
    return Decided(stored, reduction, change, accepted, why)


def _find_accepted(
    snapshots: pl.DataFrame,
    existing: pl.DataFrame,
    others: Sequence[pl.DataFrame],
    of: Compared,
) -> pl.DataFrame:
    """Return (key) of the stored rows that differ from ``snapshots`` and equal one of others."""
    none = pl.DataFrame(schema={of.key: pl.String})
    columns = [of.key, *of.columns]
    there = existing.select(columns)
    as_reduced = snapshots.select(columns).join(there, on=columns, how="semi", nulls_equal=True)
    explained = [
        keep_texts(as_cells(other), existing, of)
        .select(columns)
        .join(there, on=columns, how="semi", nulls_equal=True)
        .select(of.key)
        for other in others
    ]
    found = pl.concat([none, *explained]).unique()
    return found.join(as_reduced, on=of.key, how="anti")


def as_cells(snapshots: pl.DataFrame) -> pl.DataFrame:
    """Return recomputed snapshots as frames of stored rows have them: every cell a text."""
    return snapshots.with_columns(pl.selectors.integer().cast(pl.String))


def _ids(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    return rows.select(pl.col(key).unique())
