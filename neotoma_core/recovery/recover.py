"""The main job: recover a database from any number of backups.

evidence → extract → merge plan → reduce → guarded → publish (verified in its transaction) → report
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl

from neotoma_core.comparison.losses import Loss, LostRows
from neotoma_core.errors import ConflictsFound, UsageError, run_record
from neotoma_core.files.frames import write_parquet
from neotoma_core.find.kinship import Offer, require_own
from neotoma_core.guard.guard import (
    RECOVER,
    UNATTENDED,
    Guard,
    extent_spanning,
    guard_loss,
    loss_to,
)
from neotoma_core.guard.replacement import replace_ruin
from neotoma_core.lineage.repointing import SELF_LOOP
from neotoma_core.neotoma.frames import ROWID, TARGET
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.publication.replaceable import require_replaceable
from neotoma_core.recovery.applying import apply_plan, file_to_build
from neotoma_core.recovery.archive_after import archive_recovered
from neotoma_core.recovery.conflicts.files import CONFLICTS_FILE, save_conflicts
from neotoma_core.recovery.page.kept import keep_report
from neotoma_core.recovery.plan import RecoveryPlan, plan_recovery
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.reporting import (
    report_planned,
    report_published,
    save_report,
)
from neotoma_core.recovery.run.request import LeftOut, RecoveryRun
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.commands import undo_command
from neotoma_core.runs.evidence import (
    DatabaseEvidence,
    require_space,
    secure_database,
    write_manifest,
)
from neotoma_core.runs.quarantine import quarantine_rows
from neotoma_core.runs.raw_files import RawListing, list_all
from neotoma_core.runs.run import DatabaseRef
from neotoma_core.sources.extract import Extract
from neotoma_core.sources.reading import ReadDatabase, read_databases

Confirm = Callable[[RecoveryReport], bool]


def plan_only(run: RecoveryRun, progress: Progress) -> RecoveryReport:
    """Plan a recovery and report the plan; the target is not touched."""
    clock = Clock()
    plan = make_plan(run, progress, clock)
    report = report_planned(plan, clock.seconds)
    save_conflicts(plan)
    _refuse_conflicts(plan, report)
    return keep_report(plan, report)


def recover(
    run: RecoveryRun, confirm: Confirm, progress: Progress, guard: Guard = UNATTENDED
) -> RecoveryReport:
    """Recover ``run``'s target. ``confirm`` is shown the plan and may decline it.

    ``guard``: who is asked once more where other versions take the place of nearly all
    observations. Raises ConflictsFound in safe mode, VerificationFailed, TargetLocked,
    TargetChanged, DiskFull, and UsageError where the guard cannot ask; then nothing was changed.
    """
    require_replaceable(run.path)
    clock = Clock()
    plan = make_plan(run, progress, clock)
    return carry_out(plan, confirm, progress, clock, guard)


def carry_out(
    plan: RecoveryPlan,
    confirm: Confirm,
    progress: Progress,
    clock: Clock,
    guard: Guard = UNATTENDED,
) -> RecoveryReport:
    """Carry out a plan once it is confirmed and nothing is lost unasked; report what was done."""
    report = report_planned(plan, clock.seconds)
    save_conflicts(plan)
    _refuse_conflicts(plan, report)
    if not _anything_to_do(plan):
        report = _archive(plan, replace(report, outcome="unchanged"), progress, clock)
    elif confirm(report):
        permission = guard_loss(plan.run, _loss(plan, report, guard), guard, RECOVER, progress)
        clock.lap("confirm")
        if permission.granted:
            report = replace(report, backup=permission.backup)
            report = _set_removed_aside(plan, report, progress)
            report = _publish(plan, report, progress, clock)
    return keep_report(plan, report)


def _set_removed_aside(
    plan: RecoveryPlan, report: RecoveryReport, progress: Progress
) -> RecoveryReport:
    """Keep the rows that are about to leave the target: in the quarantine, and in the archive."""
    if plan.target is None or not plan.merge.removed:
        return report
    for name, rows in plan.merge.removed.items():
        reasons = rows.select(ROWID, column=pl.lit("id"), reason=pl.lit(SELF_LOOP))
        quarantine_rows(plan.run, "target", plan.target.whole, BY_NAME[name], reasons)
    report = replace(report, quarantine=str(plan.quarantine))
    return archive_recovered(plan.run, report, progress) if plan.request.archived else report


def _publish(
    plan: RecoveryPlan, report: RecoveryReport, progress: Progress, clock: Clock
) -> RecoveryReport:
    run_record().undo = undo_command(plan.run)
    applied = apply_plan(plan, progress)
    if plan.run.ruin is not None:
        replace_ruin(plan.run, file_to_build(plan))
    clock.lap("publish")
    clock.seconds["transaction"] = applied.seconds
    report = report_published(plan, report, applied, clock.seconds)
    return _archive(plan, report, progress, clock)


def _archive(
    plan: RecoveryPlan, report: RecoveryReport, progress: Progress, clock: Clock
) -> RecoveryReport:
    """Append the target to the archive, also where an earlier run wrote it and was killed then."""
    if not plan.request.archived or not plan.run.path.exists():
        return report
    save_report(plan, report)
    report = archive_recovered(plan.run, report, progress)
    clock.lap("archive")
    return replace(report, seconds=dict(clock.seconds))


def _loss(plan: RecoveryPlan, report: RecoveryReport, guard: Guard) -> Loss:
    """Return what the target loses: the versions of its rows that give way to a backup's.

    No row goes. What was merely sent again and what only one side changed since an ancestor counts
    as nothing lost.
    """
    before = report.before
    lost = LostRows(*(plan.merge.count_overwritten(name) for name in ("observations", "entities")))
    held = extent_spanning(before.observations, before.entities, before.first, before.last)
    return loss_to(plan.run.path, held, lost, guard)


def make_plan(run: RecoveryRun, progress: Progress, clock: Clock) -> RecoveryPlan:
    """Secure, extract and plan; two databases are read at a time while raw files are hashed."""
    needed = require_space(run)
    with ThreadPoolExecutor(max_workers=1) as pool:
        listing = pool.submit(list_all, run)
        progress.begin("evidence", needed)
        with ThreadPoolExecutor(max_workers=2) as copying:
            evidence = tuple(copying.map(lambda d: secure_one(run, d, progress), run.databases))
        write_manifest(run, evidence)
        clock.lap("evidence")
        progress.begin("read", len(evidence))
        read = read_databases(run, run.request.wanted, evidence, progress)
        clock.lap("read")
        progress.begin("plan")
        plan = plan_from(run, read, listing.result())
        clock.lap("plan")
    return plan


def secure_one(run: RecoveryRun, database: DatabaseRef, progress: Progress) -> DatabaseEvidence:
    """Copy one database of a recovery into its evidence; raises what ``secure_database`` does."""
    return secure_database(run, database, progress)


def plan_from(
    run: RecoveryRun, read: tuple[ReadDatabase, ...], listing: RawListing
) -> RecoveryPlan:
    """Plan the recovery from the databases that could be read."""
    path = run.folders.evidence / "raw_files.parquet"
    write_parquet(listing.files, path)
    run, extracts = _leave_out_unusable(run, read)
    _require_own(run, extracts)
    evidence = tuple(r.evidence for r in read)
    return plan_recovery(run, evidence, extracts, listing)


def _require_own(run: RecoveryRun, extracts: Sequence[Extract]) -> None:
    """Raise where a backup is of another database than the target, unless that is meant."""
    if run.request.allow_environment_mismatch:
        return
    target = run.path  # of one that is damaged, what was salvaged of it is a backup
    held = next((e.whole for e in extracts if e.database.found_at == target), None)
    offers = tuple(
        Offer(e.whole, e.database.found_at, e.database.environment)
        for e in extracts
        if e.database.found_at != target
    )
    require_own(run, held, offers)


def _leave_out_unusable(
    run: RecoveryRun, read: tuple[ReadDatabase, ...]
) -> tuple[RecoveryRun, tuple[Extract, ...]]:
    """Leave out what could not be read and what has the bytes of an earlier backup."""
    left_out = list(run.left_out)
    repeated = list(run.repeated)
    seen: set[tuple[tuple[str, str], ...]] = set()
    extracts: list[Extract] = []
    for database in read:
        evidence = database.evidence
        content = tuple(sorted(evidence.hashes.items()))
        if database.extract is None:
            left_out.append(LeftOut(evidence.found_at, database.reason))
        elif evidence.number == TARGET:
            extracts.append(database.extract)
        elif content in seen:
            repeated.append(evidence.found_at)
        else:
            seen.add(content)
            extracts.append(_number(database.extract, len(seen) - 1))
    backups = tuple(e.database for e in extracts if e.database.number != TARGET)
    if not backups and run.ruin is None:
        raise UsageError("none of the backups could be read; nothing was changed")
    known = replace(run, backups=backups, left_out=tuple(left_out), repeated=tuple(repeated))
    return known, tuple(extracts)


def _number(extract: Extract, number: int) -> Extract:
    return replace(extract, database=replace(extract.database, number=number))


def _anything_to_do(plan: RecoveryPlan) -> bool:
    raw = plan.raw.copies.height or plan.raw.repairs.height
    return bool(plan.writes or raw or plan.run.ruin)


def _refuse_conflicts(plan: RecoveryPlan, report: RecoveryReport) -> None:
    undecided = report.conflicts.undecided
    if plan.request.mode == "safe" and undecided:
        keep_report(plan, replace(report, outcome="refused"))
        raise ConflictsFound(undecided, plan.report_folder / CONFLICTS_FILE)
