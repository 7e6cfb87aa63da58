"""Deciding what a rebuild writes, bucket by bucket: here, or on workers elsewhere.

What workers need is in files, and a key never is.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import polars as pl

from neotoma_core.ledger.log import without_names
from neotoma_core.neotoma.encryption.columns import open_rows
from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.rebuild.reading import Reading
from neotoma_core.rebuild.reasons import explain_drift
from neotoma_core.rebuild.spilling import ENTITIES, RELATIONSHIPS, Spilled
from neotoma_core.reduce.exact.users import Owner
from neotoma_core.runs.ahead import work_ahead
from neotoma_core.snapshots.deciding import Decided, Stored, decide_entities, decide_relationships
from neotoma_core.snapshots.drift import DRIFT, find_drift
from neotoma_core.snapshots.explaining import UNKNOWN
from neotoma_core.snapshots.reading import Rules
from neotoma_core.snapshots.sampling import sample_of, spread
from neotoma_core.stages.kept import Kept, keep
from neotoma_core.stages.parts import Made, Part, make_part
from neotoma_core.stages.places import Place
from neotoma_core.stages.runner import Runner

_DETAILED: Final = 10_000  # stale snapshots of a bucket that are taken apart into fields
_LISTED: Final = 1_000  # unreadable observations that are named one by one
_SAMPLE: Final = 100
_SAMPLE_BYTES: Final = 4 << 20  # of observations, by and large: row by row takes its time
_ROW_BYTES: Final = 200


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of one derived table: what was decided, and the drift that it puts right."""

    decided: Decided
    drift: pl.DataFrame


@dataclass(slots=True)
class Tally:
    """What was decided for one derived table, all buckets together.

    ``accepted``: rows that stay since other known rules explain them. ``unreadable``:
    (observation_id, reason) of the first of them; ``left_out`` counts them all. ``failed``: the
    entities on which Neotoma's reduction throws, with the reason, likewise; ``fails`` counts them.
    ``otherwise``: how many snapshots other rules make otherwise, ``differing`` the first of those.
    ``sample``: written entity snapshots that are quick to reduce again.
    """

    table: Table
    inserted: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    accepted: int = 0
    exact: int = 0
    drift: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    schemaless: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    left_out: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    fails: int = 0
    otherwise: Counter[str] = field(default_factory=Counter)
    differing: list[tuple[str, str]] = field(default_factory=list)
    sample: dict[str, Owner] = field(default_factory=dict)

    @property
    def writes(self) -> int:
        """Rows written or deleted."""
        return self.inserted + self.updated + self.removed

    def add(self, bucket: Bucket, reading: Reading) -> None:
        """Count one bucket."""
        decided = bucket.decided
        change, reduction = decided.change, decided.reduction
        self.inserted += change.inserted
        self.updated += change.updated
        self.removed += change.removed.height
        self.unchanged += change.unchanged
        self.exact += reduction.exact
        self.accepted += decided.accepted.height
        self.drift.update(_count(bucket.drift["kind"]))
        self.reasons.update(_count(bucket.drift["reason"].fill_null(UNKNOWN)))
        self.schemaless.update(dict(reduction.schemaless.iter_rows()))
        self.left_out += reduction.unreadable.height
        named = reduction.unreadable.select("observation_id", "reason")
        self.unreadable += named.head(_LISTED - len(self.unreadable)).rows()
        self.failed += reduction.failed.head(_LISTED - len(self.failed)).rows()
        self.fails += reduction.failed.height
        self.otherwise.update(_count(decided.differing["rules"]))
        self.differing += decided.differing.head(_LISTED - len(self.differing)).rows()
        if self.table.name == "entity_snapshots":
            self._add_sample(decided, reading)

    def _add_sample(self, decided: Decided, reading: Reading) -> None:
        """Sample the entities all of whose observations the exact reducer can read from rows."""
        key = "entity_id"
        observations = reading.spilled["observations"]
        unreadable = decided.reduction.unreadable.select(key)
        left_out = pl.concat([unreadable, reading.erased.losing()])
        wanted = -(-_SAMPLE // observations.buckets.count)
        size = pl.col("observation_count").cast(pl.Int64) * (
            pl.col("snapshot").str.len_bytes() + _ROW_BYTES
        )
        ids = decided.change.written.select(key, size=size).join(left_out, on=key, how="anti")
        few = ids.join(spread(ids[key], wanted).to_frame(), on=key, how="semi")
        most = _SAMPLE_BYTES // observations.buckets.count
        small = few.head(wanted).sort("size").filter(pl.col("size").cum_sum() <= most)
        self.sample |= sample_of(decided, reading.rules, small[key])


def entity_buckets(reading: Reading) -> Iterator[Bucket]:
    """Yield what to do with the entity snapshots, bucket by bucket; each is removed once read."""
    return _buckets(reading, ENTITIES, "")


def relationship_buckets(reading: Reading, now: str) -> Iterator[Bucket]:
    """Yield what to do with the relationship snapshots; ``now``: ISO time of the computation."""
    return _buckets(reading, RELATIONSHIPS, now)


def _buckets(reading: Reading, pair: tuple[str, str], now: str) -> Iterator[Bucket]:
    """Decide on workers elsewhere where the job has any, unless what they need has to stay here."""
    asked, (log, derived) = reading.asked, pair
    spilled = (reading.spilled[log], reading.spilled[derived])
    job = asked.job
    if job.runner.is_apart and job.place and not asked.explained and reading.key is None:
        decisions = decide_apart(job.runner, job.place, spilled, reading.rules, now)
        yield from (Bucket(decided, pl.DataFrame(schema=DRIFT)) for decided in decisions)
        return

    def decide_here(number: int) -> Bucket:
        observations = take_bucket(reading, log, number)
        stored = take_stored(reading, BY_NAME[derived], number)
        return _bucket(reading, stored, decide(observations, stored, reading.rules, now))

    yield from work_ahead(decide_here, spilled[0].buckets.count)


def _bucket(reading: Reading, stored: Stored, decided: Decided) -> Bucket:
    """Return what was decided with the drift that it puts right, if that is asked for."""
    if not reading.asked.explained:
        return Bucket(decided, pl.DataFrame(schema=DRIFT))
    of = stored.compared
    erased = reading.erased.reasons(stored.table.name, stored.rows)
    because = decided.gone.join(erased, on=of.key, how="left", suffix="_erased").select(
        of.key, reason=pl.coalesce("reason_erased", "reason")
    )
    drift = find_drift(decided.change, stored.rows, because, of, _DETAILED)
    return Bucket(decided, without_names(explain_drift(reading, stored, drift)))


def _count(values: pl.Series) -> dict[str, int]:
    return dict(values.value_counts().iter_rows())


def take_stored(reading: Reading, table: Table, number: int) -> Stored:
    """Return the snapshots of one bucket."""
    rows = take_bucket(reading, table.name, number)
    return Stored(table, rows, reading.spilled[table.name].stored)


def take_bucket(reading: Reading, name: str, number: int) -> pl.DataFrame:
    """Return the rows of one bucket with every sealed value opened, and remove the bucket."""
    spilled = reading.spilled[name]
    rows = spilled.buckets.read(number)
    spilled.buckets.remove(number)
    if reading.key is None or not spilled.sealed:
        return rows
    return open_rows(spilled.table, rows, reading.key, reading.target)


@dataclass(frozen=True, slots=True)
class DecideTask:
    """One bucket of a derived table: parts with its log and its stored rows, by which ``rules``.

    ``columns``: those that the stored table has.
    """

    place: Place
    table: Table
    number: int
    log: Part
    stored: Part
    columns: frozenset[str]
    rules: Kept
    now: str


def decide(observations: pl.DataFrame, stored: Stored, rules: Rules, now: str) -> Decided:
    """Decide about the snapshots of one bucket; ``now``: ISO time of the computation."""
    if stored.table.name in ENTITIES:
        return decide_entities(observations, stored, rules)
    return decide_relationships(observations, stored, now=now)


def decide_apart(
    runner: Runner, place: Place, spilled: tuple[Spilled, Spilled], rules: Rules, now: str
) -> Iterator[Decided]:
    """Yield what workers decide, bucket by bucket; each bucket is removed once it was decided."""
    log, stored = spilled
    table = stored.table
    kept = keep(place, f"rules-{table.name}", 0, lambda: rules)
    tasks = [
        DecideTask(
            place,
            table,
            number,
            _hand_over(place, log, number),
            _hand_over(place, stored, number),
            stored.stored,
            kept,
            now,
        )
        for number in range(log.buckets.count)
    ]
    for task, made in zip(tasks, runner.run(decide_task, tasks), strict=True):
        decided = made.load()
        assert isinstance(decided, Decided)  # noqa: S101 - nothing else is kept there
        yield decided
        for one in (made, task.log, task.stored):
            one.remove()
    kept.remove()


def _hand_over(place: Place, spilled: Spilled, number: int) -> Part:
    """Move a bucket from the scratch of this process to where workers read it."""
    buckets, stage = spilled.buckets, f"bucket-{spilled.table.name}"
    part = make_part(place, stage, number, lambda: Made([buckets.read(number)], {}))
    buckets.remove(number)
    return part


def decide_task(task: DecideTask) -> Kept:
    """Decide about one bucket, and keep the decision; reduced rows are kept in the change only."""
    return keep(task.place, f"decided-{task.table.name}", task.number, lambda: _decide(task))


def _decide(task: DecideTask) -> Decided:
    stored = Stored(task.table, task.stored.batch(0), task.columns)
    decided = decide(task.log.batch(0), stored, _rules(task.rules), task.now)
    slim = replace(decided.reduction, snapshots=decided.reduction.snapshots.clear())
    return replace(decided, reduction=slim)


@lru_cache(maxsize=2)
def _rules(kept: Kept) -> Rules:
    rules = kept.load()
    assert isinstance(rules, Rules)  # noqa: S101 - nothing else is kept there
    return rules
