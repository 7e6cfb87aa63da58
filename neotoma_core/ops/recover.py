"""The main job: recover a database from any number of backups.

evidence → extract → merge plan → reduce → publish (verified inside its transaction) → report
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from neotoma_core.errors import ConflictsFound, UsageError
from neotoma_core.frames import TARGET
from neotoma_core.ops.applying import apply_plan
from neotoma_core.ops.archive_after import archived
from neotoma_core.ops.clock import Clock
from neotoma_core.ops.evidence import (
    require_space,
    secure_database,
    write_manifest,
)
from neotoma_core.ops.extract import Extract
from neotoma_core.ops.planning import RecoveryPlan, plan_recovery
from neotoma_core.ops.progress import Progress
from neotoma_core.ops.raw_files import RawListing, list_all
from neotoma_core.ops.reading import ReadDatabase, read_databases
from neotoma_core.ops.reporting import planned_report, published_report, save_conflicts, save_report
from neotoma_core.ops.run import LeftOut, Run
from neotoma_core.report.recovery import RecoveryReport
from neotoma_core.store.frame_files import write_parquet

Confirm = Callable[[RecoveryReport], bool]


def plan_only(run: Run, progress: Progress) -> RecoveryReport:
    """Plan a recovery and report the plan; the target is not touched."""
    clock = Clock()
    plan = make_plan(run, progress, clock)
    report = planned_report(plan, clock.seconds)
    save_conflicts(plan)
    save_report(plan, report)
    _refuse_conflicts(plan, report)
    return report


def recover(run: Run, confirm: Confirm, progress: Progress) -> RecoveryReport:
    """Recover ``run``'s target. ``confirm`` is shown the plan and may decline it.

    Raises ConflictsFound in safe mode, VerificationFailed, TargetLocked, TargetChanged, DiskFull;
    then nothing was changed.
    """
    clock = Clock()
    plan = make_plan(run, progress, clock)
    return carry_out(plan, confirm, progress, clock)


def carry_out(
    plan: RecoveryPlan, confirm: Confirm, progress: Progress, clock: Clock
) -> RecoveryReport:
    """Carry out a plan once it is confirmed, and report what was done."""
    report = planned_report(plan, clock.seconds)
    save_conflicts(plan)
    _refuse_conflicts(plan, report)
    if not _anything_to_do(plan):
        report = replace(report, outcome="unchanged")
    elif confirm(report):
        clock.lap("confirm")
        applied = apply_plan(plan, progress)
        clock.lap("publish")
        clock.seconds["transaction"] = applied.seconds
        report = published_report(plan, report, applied, clock.seconds)
        if plan.run.request.archived:
            save_report(plan, report)
            report = archived(plan.run, report, progress)
            clock.lap("archive")
            report = replace(report, seconds=dict(clock.seconds))
    save_report(plan, report)
    return report


def make_plan(run: Run, progress: Progress, clock: Clock) -> RecoveryPlan:
    """Secure, extract and plan; two databases are read at a time, and raw files hashed beside."""
    needed = require_space(run)
    with ThreadPoolExecutor(max_workers=1) as pool:
        listing = pool.submit(list_all, run)
        progress.begin("evidence", needed)
        with ThreadPoolExecutor(max_workers=2) as copying:
            evidence = tuple(
                copying.map(lambda d: secure_database(run, d, progress), run.databases)
            )
        write_manifest(run, evidence)
        clock.lap("evidence")
        progress.begin("read", len(evidence))
        read = read_databases(run, evidence, progress)
        clock.lap("read")
        progress.begin("plan")
        plan = plan_from(run, read, listing.result())
        clock.lap("plan")
    return plan


def plan_from(run: Run, read: tuple[ReadDatabase, ...], listing: RawListing) -> RecoveryPlan:
    """Plan the recovery from the databases that could be read."""
    path = run.folders.evidence / "raw_files.parquet"
    write_parquet(listing.files, path)
    run, extracts = _usable(run, read)
    evidence = tuple(r.evidence for r in read)
    return plan_recovery(run, evidence, extracts, listing)


def _usable(run: Run, read: tuple[ReadDatabase, ...]) -> tuple[Run, tuple[Extract, ...]]:
    """Leave out what could not be read and what has the bytes of an earlier backup."""
    left_out = list(run.left_out)
    repeated = list(run.repeated)
    seen: set[tuple[tuple[str, str], ...]] = set()
    extracts: list[Extract] = []
    for database in read:
        path = database.evidence.database.found_at
        content = tuple(sorted(database.evidence.hashes.items()))
        if database.extract is None:
            left_out.append(LeftOut(path, database.reason))
        elif database.evidence.database.number == TARGET:
            extracts.append(database.extract)
        elif content in seen:
            repeated.append(path)
        else:
            seen.add(content)
            extracts.append(_numbered(database.extract, len(seen) - 1))
    backups = tuple(e.database for e in extracts if e.database.number != TARGET)
    if not backups:
        raise UsageError("none of the backups could be read; nothing was changed")
    known = replace(run, backups=backups, left_out=tuple(left_out), repeated=tuple(repeated))
    return known, tuple(extracts)


def _numbered(extract: Extract, number: int) -> Extract:
    return replace(extract, database=replace(extract.database, number=number))


def _anything_to_do(plan: RecoveryPlan) -> bool:
    return bool(plan.writes or plan.raw.copies.height or plan.raw.repairs.height)


def _refuse_conflicts(plan: RecoveryPlan, report: RecoveryReport) -> None:
    undecided = report.conflicts.undecided
    if plan.run.request.policy.mode == "safe" and undecided:
        save_report(plan, replace(report, outcome="refused"))
        raise ConflictsFound(undecided, plan.run.folders.report / "conflicts.json")
