"""Recomputing all snapshots from the log, or only telling how far they are from it.

evidence → read into buckets → reduce, compare, stage bucket by bucket → publish → report

Memory holds one bucket at a time, however large the database.
"""

from collections.abc import Callable
from dataclasses import replace

from neotoma_core.errors import run_record
from neotoma_core.ledger.file import read_ledger
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.neotoma.times import iso
from neotoma_core.publication.replaceable import require_replaceable
from neotoma_core.rebuild.deciding import (
    Bucket,
    Tally,
    entity_buckets,
    relationship_buckets,
)
from neotoma_core.rebuild.drift import DriftRecord
from neotoma_core.rebuild.publishing import Staging, publish_rebuild
from neotoma_core.rebuild.reading import (
    Reading,
    Secured,
    prove_indexes,
    read_target,
)
from neotoma_core.rebuild.report import RebuildReport
from neotoma_core.rebuild.reporting import make_report, save
from neotoma_core.rebuild.request import SnapshotRun
from neotoma_core.rebuild.spilling import ENTITIES, RELATIONSHIPS
from neotoma_core.report.progress import Progress
from neotoma_core.report.unfinished import UnfinishedStores
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.commands import undo_command
from neotoma_core.runs.raw_files import raw_folders_of
from neotoma_core.unfinished.finding import StoreLook, find_unfinished

Confirm = Callable[[RebuildReport], bool]


def check_snapshots(
    asked: SnapshotRun, progress: Progress, secured: Secured | None = None
) -> RebuildReport:
    """Report where the target's snapshots are not what its log says; write nothing to it.

    ``secured``: the copy to read, where there is one already, as a drill has: then neither its
    indexes nor its stores are looked into. Raises what ``read_target`` raises.
    """
    clock = Clock()
    reading = read_target(asked, (*ENTITIES, *RELATIONSHIPS), progress, clock, secured)
    if secured is None:
        progress.begin("integrity")
        prove_indexes(reading)
    clock.lap("integrity")
    unfinished = None if secured else _find_unfinished(reading, progress, clock)
    tallies, drift = _decide(reading, lambda _: None, progress, clock)
    report = make_report(reading, tallies, drift, clock.seconds, unfinished)
    checked = replace(report, outcome="checked", seconds=clock.seconds)
    return save(asked.run.folders, checked)


def rebuild_snapshots(asked: SnapshotRun, confirm: Confirm, progress: Progress) -> RebuildReport:
    """Write the snapshots that are not what the log says. ``confirm`` may decline the plan.

    Raises what ``read_target`` raises, and VerificationFailed, TargetLocked,
    TargetChanged, DiskFull; then nothing was changed.
    """
    require_replaceable(asked.target)
    clock = Clock()
    reading = read_target(asked, (*ENTITIES, *RELATIONSHIPS), progress, clock)
    unfinished = _find_unfinished(reading, progress, clock)
    with Staging(reading) as staging:
        tallies, drift = _decide(reading, staging.add, progress, clock)
        staging.finish()
        clock.lap("reduce")
        report = make_report(reading, tallies, drift, clock.seconds, unfinished)
        if not report.writes:
            report = replace(report, outcome="unchanged")
        elif confirm(report):
            clock.lap("confirm")
            progress.begin("publish")
            undo = run_record().undo = undo_command(asked.run)
            checks = publish_rebuild(reading, staging, tallies)
            clock.lap("publish")
            kept = str(reading.folders.evidence)
            report = replace(report, outcome="rebuilt", checks=checks, undo=undo, evidence=kept)
    report = replace(report, seconds=clock.seconds)
    return save(asked.run.folders, report)


def _find_unfinished(reading: Reading, progress: Progress, clock: Clock) -> UnfinishedStores | None:
    """Return what stores left that did not finish; None where only a part is asked for."""
    run = reading.run
    if reading.asked.narrowed:
        return None
    progress.begin("stores")
    found = find_unfinished(
        StoreLook(
            whole=reading.whole,
            original=reading.target,
            tables=reading.stored,
            folders=raw_folders_of(run.path, run.raw_storage),
            key=run.key,
            ledger=read_ledger(run.folders.vault),
            now=run.started,
        )
    )
    clock.lap("stores")
    return found


def _decide(
    reading: Reading, stage: Callable[[Bucket], None], progress: Progress, clock: Clock
) -> tuple[tuple[Tally, Tally], DriftRecord]:
    """Decide bucket by bucket; ``stage`` is given each bucket as it is decided."""
    entities, relationships = tallies = (
        Tally(BY_NAME["entity_snapshots"]),
        Tally(BY_NAME["relationship_snapshots"]),
    )
    drift = DriftRecord(reading.folders)
    progress.begin("reduce", reading.buckets)
    decisions = (
        (entities, entity_buckets(reading)),
        (relationships, relationship_buckets(reading, iso(reading.started))),
    )
    for tally, buckets in decisions:
        for bucket in buckets:
            tally.add(bucket, reading)
            drift.add(bucket)
            stage(bucket)
            progress.advance(1)
    drift.keep()
    clock.lap("reduce")
    return tallies, drift
