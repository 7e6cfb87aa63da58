"""Deciding about snapshots on workers elsewhere: what they are told is in files, and no key is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import polars as pl

from neotoma_core.rebuild.spilling import ENTITIES, Spilled
from neotoma_core.snapshots.deciding import Decided, Stored, decide_entities, decide_relationships
from neotoma_core.snapshots.reading import Rules
from neotoma_core.stages.kept import Kept, keep
from neotoma_core.stages.runner import Work


@dataclass(frozen=True, slots=True)
class DecideTask:
    """One bucket of a derived table: of its log, of its stored rows, and by which ``rules``."""

    folder: Path
    number: int
    log: Spilled
    stored: Spilled
    rules: Kept
    now: str


def decide(observations: pl.DataFrame, stored: Stored, rules: Rules, now: str) -> Decided:
    """Decide about the snapshots of one bucket; ``now``: ISO time of the computation."""
    if stored.table.name in ENTITIES:
        return decide_entities(observations, stored, rules)
    return decide_relationships(observations, stored, now=now)


def decide_apart(
    job: Work, folder: Path, spilled: tuple[Spilled, Spilled], rules: Rules, now: str
) -> Iterator[Decided]:
    """Yield what workers decide, bucket by bucket; each bucket is removed once it was decided."""
    log, stored = spilled
    for one in spilled:
        one.buckets.settle()
    name = stored.table.name
    kept = keep(folder, f"rules-{name}", 0, lambda: rules)
    tasks = [DecideTask(folder, n, log, stored, kept, now) for n in range(log.buckets.count)]
    for number, made in enumerate(job.runner.run(decide_task, tasks)):
        decided = made.load()
        assert isinstance(decided, Decided)  # noqa: S101 - nothing else is kept there
        yield decided
        made.remove()
        for one in spilled:
            one.buckets.remove(number)
    kept.remove()


def decide_task(task: DecideTask) -> Kept:
    """Decide about one bucket, and keep the decision; reduced rows are kept in the change only."""
    stage = f"decided-{task.stored.table.name}"
    return keep(task.folder, stage, task.number, lambda: _decide(task))


def _decide(task: DecideTask) -> Decided:
    observations = task.log.buckets.read(task.number)
    rows = task.stored.buckets.read(task.number)
    stored = Stored(task.stored.table, rows, task.stored.stored)
    decided = decide(observations, stored, _rules(task.rules), task.now)
    slim = replace(decided.reduction, snapshots=decided.reduction.snapshots.clear())
    return replace(decided, reduction=slim)


@lru_cache(maxsize=2)
def _rules(kept: Kept) -> Rules:
    rules = kept.load()
    assert isinstance(rules, Rules)  # noqa: S101 - nothing else is kept there
    return rules
