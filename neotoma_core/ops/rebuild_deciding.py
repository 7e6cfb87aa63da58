"""Deciding what a rebuild writes, bucket by bucket."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import polars as pl

from neotoma_core.encryption import open_rows
from neotoma_core.merge.derived import DerivedChange, plan_derived
from neotoma_core.merge.drift import Compared, find_drift, kept_texts
from neotoma_core.ops.ahead import worked_ahead
from neotoma_core.ops.erased_log import without_names
from neotoma_core.ops.rebuild_reading import Reading, Spilled
from neotoma_core.reduce.entities import reduce_entities
from neotoma_core.reduce.reduction import Reduction
from neotoma_core.reduce.relationships import reduce_relationships
from neotoma_core.tables import BY_NAME, Table

DerivedName = Literal["entity_snapshots", "relationship_snapshots"]

_DOCUMENTS: Final = ("snapshot", "provenance")
_DETAILED: Final = 10_000  # stale snapshots of a bucket that are taken apart into fields
_LISTED: Final = 1_000  # unreadable observations that are named one by one
_SAMPLE: Final = 100
_SAMPLE_BYTES: Final = 4 << 20  # of observations, by and large: row by row takes its time
_ROW_BYTES: Final = 200


@dataclass(frozen=True, slots=True)
class Decided:
    """One bucket of one derived table: what is reduced, and the change and the drift that makes."""

    table: Table
    reduction: Reduction
    change: DerivedChange
    drift: pl.DataFrame


@dataclass(slots=True)
class Tally:
    """What was decided for one derived table, all buckets together.

    ``unreadable``: (observation_id, reason) of the first of them; ``left_out`` counts them all.
    ``sample``: ids of written entity snapshots that are quick to reduce again.
    """

    table: Table
    inserted: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    exact: int = 0
    drift: Counter[str] = field(default_factory=Counter)
    schemaless: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    left_out: int = 0
    sample: list[str] = field(default_factory=list)

    @property
    def writes(self) -> int:
        """Rows written or deleted."""
        return self.inserted + self.updated + self.removed

    def add(self, decided: Decided, reading: Reading) -> None:
        """Count one bucket."""
        change, reduction = decided.change, decided.reduction
        self.inserted += change.inserted
        self.updated += change.updated
        self.removed += change.removed.height
        self.unchanged += change.unchanged
        self.exact += reduction.exact
        self.drift.update(decided.drift["kind"])
        self.schemaless.update(dict(reduction.schemaless.iter_rows()))
        self.left_out += reduction.unreadable.height
        named = reduction.unreadable.select("observation_id", "reason")
        self.unreadable += named.head(_LISTED - len(self.unreadable)).rows()
        if self.table.name == "entity_snapshots":
            self._add_sample(decided, reading)

    def _add_sample(self, decided: Decided, reading: Reading) -> None:
        """Sample the entities all of whose observations the exact reducer can read from rows."""
        key = "entity_id"
        observations = reading.spilled["observations"]
        unreadable = decided.reduction.unreadable.select(key)
        left_out = pl.concat([unreadable, observations.broken, reading.erased.losing()])
        wanted = -(-_SAMPLE // observations.buckets.count)
        size = pl.col("observation_count") * (pl.col("snapshot").str.len_bytes() + _ROW_BYTES)
        ids = decided.change.written.select(key, size=size).join(left_out, on=key, how="anti")
        spread = ids.sort(key).gather_every(max(1, ids.height // wanted)).head(wanted).sort("size")
        most = _SAMPLE_BYTES // observations.buckets.count
        self.sample += spread.filter(pl.col("size").cum_sum() <= most)[key].to_list()


def decide_entities(reading: Reading) -> Iterator[Decided]:
    """Yield what to do with the entity snapshots, bucket by bucket; each is removed once read."""
    count = reading.spilled["observations"].buckets.count
    return worked_ahead(lambda number: _decide_entities(reading, number), count)


def decide_relationships(reading: Reading, now: str) -> Iterator[Decided]:
    """Yield what to do with the relationship snapshots; ``now``: ISO time of the computation."""
    count = reading.spilled["relationship_observations"].buckets.count
    return worked_ahead(lambda number: _decide_relationships(reading, number, now), count)


def _decide_entities(reading: Reading, number: int) -> Decided:
    observations = opened_bucket(reading, "observations", number)
    existing = opened_bucket(reading, "entity_snapshots", number)
    live = observations.join(reading.merged_away, on="entity_id", how="anti")
    complete = complete_rows("observations", live)
    reduction = reduce_entities(complete, reading.registry)
    # With no readable observation an entity keeps the snapshot it has: nothing better is known.
    broken = live.select("entity_id").join(complete, on="entity_id", how="anti")
    kept = [reduction.unreduced.select("entity_id"), broken]
    reasons = [
        reading.erased.reasons("entity_snapshots", existing),
        reading.merged_away.select("entity_id", reason=pl.lit("merged-away")),
        reduction.deleted.select("entity_id", reason=pl.lit("deleted")),
    ]
    return _decided(reading, "entity_snapshots", reduction, existing, kept, reasons)


def _decide_relationships(reading: Reading, number: int, now: str) -> Decided:
    key = "relationship_key"
    observations = opened_bucket(reading, "relationship_observations", number)
    existing = opened_bucket(reading, "relationship_snapshots", number)
    complete = complete_rows("relationship_observations", observations)
    reduction = reduce_relationships(complete, now=now)
    broken = observations.select(key).join(complete, on=key, how="anti")
    unread = reduction.unreduced.join(reduction.unreadable, on=key, how="semi")
    reasons = [
        reading.erased.reasons("relationship_snapshots", existing),
        reduction.unreduced.select(key, reason=pl.lit("fails in Neotoma")),
    ]
    kept = [unread.select(key), broken]
    return _decided(reading, "relationship_snapshots", reduction, existing, kept, reasons)


def _decided(  # noqa: PLR0913, PLR0917 - both sides of the comparison and their exceptions
    reading: Reading,
    name: DerivedName,
    reduction: Reduction,
    existing: pl.DataFrame,
    kept: list[pl.DataFrame],
    reasons: list[pl.DataFrame],
) -> Decided:
    """Compare a reduction with what is stored.

    ``kept``: keys whose row stays as it is. ``reasons``: why keys have no row, the first counts.
    """
    of = _compared(reading.spilled[name])
    existing = existing.drop_nulls(of.key)
    snapshots = kept_texts(reduction.snapshots, existing, of)
    there = pl.concat([snapshots.select(of.key), *kept])
    gone = existing.select(of.key).join(there, on=of.key, how="anti")
    change = plan_derived(
        of.key,
        existing,
        snapshots,
        gone,
        ignored=[n for n in BY_NAME[name].names if n not in (of.key, *of.columns)],
        columns=BY_NAME[name].names,
    )
    first = pl.concat(reasons).unique(of.key, keep="first", maintain_order=True)
    why = gone.join(first, on=of.key, how="left").with_columns(
        pl.col("reason").fill_null("no observations")
    )
    drift = without_names(find_drift(change, existing, why, of, _DETAILED))
    return Decided(BY_NAME[name], reduction, change, drift)


def _compared(spilled: Spilled) -> Compared:
    """Return what is compared: columns that the database has, but the wall clock's."""
    (key,) = spilled.table.key
    is_entity = spilled.table.name == "entity_snapshots"
    left_out = {key} if is_entity else {key, "computed_at"}
    return Compared(
        key,
        "entity_type" if is_entity else "relationship_type",
        [n for n in spilled.table.names if n in spilled.stored and n not in left_out],
        _DOCUMENTS,
    )


def opened_bucket(reading: Reading, name: str, number: int) -> pl.DataFrame:
    """Return the rows of one bucket with every sealed value opened, and remove the bucket."""
    spilled = reading.spilled[name]
    rows = reading.erased.without(name, spilled.buckets.read(number))
    spilled.buckets.remove(number)
    if reading.key is None or not spilled.sealed:
        return rows
    return open_rows(spilled.table, rows, reading.key, reading.rebuild.target.path)


def complete_rows(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that have all that Neotoma requires of them, and an id of their own."""
    table = BY_NAME[name]
    required = [c.name for c in table.columns if c.required and c.name in rows.columns]
    complete = rows.drop_nulls([*table.key, *required])
    if complete["id"].n_unique() == complete.height:
        return complete
    return complete.unique("id", keep="first", maintain_order=True)
