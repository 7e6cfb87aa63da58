"""Erasing what the law or the user wants gone, for good.

read a scratch copy → what it reaches → ask → ledger → one transaction → raw files → scrub → ledger

The ledger is written first: from then on nothing brings the rows back. Killed at any later moment,
the same command, or ``--again``, completes the job. No copy of the target is kept.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from neotoma_core.comparison.losses import Loss, LostRows
from neotoma_core.erased.naming import (
    ENTITIES,
    OBSERVATIONS,
    RELATIONSHIP_OBSERVATIONS,
    USERS,
    Ids,
    find_ids,
    read_all,
)
from neotoma_core.erasure.applying import apply_erasure
from neotoma_core.erasure.evidence import find_holding, find_remotes, holding
from neotoma_core.erasure.held.copy import Held, read_held
from neotoma_core.erasure.in_vault import find_erased_in_vault
from neotoma_core.erasure.plan import ErasurePlan, plan_erasure
from neotoma_core.erasure.raw_files import ErasedRawFiles, files_staying, find_raw_files
from neotoma_core.erasure.report import ErasureReport
from neotoma_core.erasure.reporting import count_new_ids, report_planned, save
from neotoma_core.erasure.request import EraseRequest, EraseRun
from neotoma_core.erasure.rows import finishing, scrub
from neotoma_core.errors import TargetLocked, UsageError
from neotoma_core.files.headers import is_open_elsewhere
from neotoma_core.guard.guard import (
    ERASE,
    UNATTENDED,
    Guard,
    extent_of,
    guard_loss,
    loss_to,
)
from neotoma_core.ledger.file import Ledger, read_ledger, record_erasure, record_finished
from neotoma_core.neotoma.times import iso
from neotoma_core.publication.proofs import Check
from neotoma_core.publication.replaceable import require_replaceable
from neotoma_core.rebuild.newer_release import require_no_cutover
from neotoma_core.remotes.kept_parts import forget_all
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.evidence import (
    DatabaseEvidence,
    require_space,
    secure_database,
    states_when_locked,
)
from neotoma_core.runs.raw_files import own_folders
from neotoma_core.sqlite.opening import check_integrity, connect_read_only, make_whole
from neotoma_core.vault import folder as vault
from neotoma_core.vault.backups import FOLDER

Confirm = Callable[[ErasureReport], bool]


@dataclass(frozen=True, slots=True)
class _Planned:
    """All that is decided before anybody is asked."""

    erasing: EraseRun
    evidence: DatabaseEvidence
    plan: ErasurePlan
    raw: ErasedRawFiles
    ledger: Ledger
    report: ErasureReport


def plan_only(erasing: EraseRun, progress: Progress) -> ErasureReport:
    """Report what an erasure would do; neither the target nor the ledger is touched.

    Raises what ``erase`` raises before it writes.
    """
    clock = Clock()
    report = replace(_plan(erasing, progress, clock).report, seconds=clock.seconds)
    return save(erasing, report)


def erase(
    erasing: EraseRun, confirm: Confirm, progress: Progress, guard: Guard = UNATTENDED
) -> ErasureReport:
    """Erase what was asked for. ``confirm`` is shown the plan and may decline it.

    ``guard``: who is asked once more where nearly all observations go; then they are backed up.
    Raises UsageError for ids that are nowhere, and where the guard cannot ask; KeyMissing,
    TargetLocked, TargetChanged, DiskFull, BackupNotIntact, VerificationFailed, VaultDamaged: then
    the target is as it was; and ErasureUnfinished.
    """
    require_replaceable(erasing.target)
    clock = Clock()
    planned = _plan(erasing, progress, clock)
    report = planned.report
    if not _anything_to_do(planned):
        report = replace(report, outcome="unchanged")
    elif confirm(report):
        clock.lap("confirm")
        permission = guard_loss(erasing.run, _loss(planned, guard), guard, ERASE, progress)
        if permission.granted:
            clock.lap("backup")
            progress.begin("publish")
            forget_all(erasing.request.vault)
            checks = _carry_out(planned)
            clock.lap("publish")
            taken = permission.backup
            held_on = report.holding
            if taken:
                held_on += (holding(erasing.request.vault / FOLDER / taken, 1),)
            report = replace(report, outcome="erased", checks=checks, backup=taken, holding=held_on)
    report = replace(report, seconds=clock.seconds)
    return save(erasing, report)


def _loss(planned: _Planned, guard: Guard) -> Loss:
    """Return what the target loses."""
    target = planned.erasing.target
    erased = {summary.table: summary.erased for summary in planned.report.erasures}
    lost = LostRows(erased.get("observations", 0), erased.get("entities", 0))
    return loss_to(target, extent_of(planned.plan.whole, target), lost, guard)


def _plan(erasing: EraseRun, progress: Progress, clock: Clock) -> _Planned:
    run = erasing.run
    ledger = read_ledger(run.folders.vault)
    progress.begin("evidence", require_space(run))
    evidence = secure_database(run, run.target, progress)
    whole = make_whole(evidence.copy, erasing.target, run.folders.work / "target")
    with closing(connect_read_only(whole)) as connection:
        check_integrity(connection, erasing.target)
    clock.lap("evidence")
    progress.begin("read")
    held = read_held(whole, erasing.target, erasing.request.key)
    clock.lap("read")
    progress.begin("plan")
    again = erasing.request.again
    seeds, absent = _seeds(erasing.request, held, ledger)
    plan = plan_erasure(held, seeds, iso(run.started), erasing.request.rules)
    if plan.writes:
        require_no_cutover(erasing.target, held.stored, "erasing", rewrites=True)
    raw = find_raw_files(run.path, own_folders(run), plan, ledger)
    named = _with(plan.ids, find_erased_in_vault(run.folders, ledger.erased)) if again else None
    staying = files_staying(plan)
    held_on = list(find_holding(run.folders, named or plan.ids, ledger.erased, staying))
    more = bool(count_new_ids(plan, ledger))
    held_on += find_remotes(run.folders.vault, erasing.target, ledger, more=more)
    clock.lap("plan")
    report = report_planned(erasing, plan, raw, ledger, tuple(held_on), absent)
    return _Planned(erasing, evidence, plan, raw, ledger, report)


def _with(ids: Ids, others: Ids) -> Ids:
    return {
        kind: ids.get(kind, frozenset()) | others.get(kind, frozenset())
        for kind in {**ids, **others}
    }


def _seeds(
    request: EraseRequest, held: Held, ledger: Ledger
) -> tuple[dict[str, frozenset[str]], int]:
    """Return the ids to erase by kind, and how many of those asked for the target lacks."""
    seeds: dict[str, frozenset[str]] = {}
    absent = 0
    asked = (
        ("entity", request.entities, (ENTITIES,)),
        ("observation", request.observations, (OBSERVATIONS, RELATIONSHIP_OBSERVATIONS)),
        ("user", request.users, (USERS,)),
    )
    wanted = {kind: frozenset(ids) for _, ids, kinds in asked for kind in kinds}
    found = find_ids(held.tables, wanted)
    for word, ids, kinds in asked:
        there = {kind: found.get(kind, frozenset()) for kind in kinds}
        lacking = frozenset(ids).difference(*there.values())
        recorded = {name for kind in kinds for name in ledger.erased.among(kind, lacking)}
        unknown = sorted(lacking - recorded)
        if unknown and not request.even_if_absent:
            raise UsageError(
                f"target {request.target}: no {word} {', '.join(unknown)}; nothing was changed; "
                "check the id, or record it all the same with --even-if-absent"
            )
        absent += len(lacking)
        for kind, named in there.items():
            seeds[kind] = named | lacking
    if request.again:
        seeds.update(_with(seeds, ledger.erased.find_in(read_all(held.tables))))
    return {kind: ids for kind, ids in seeds.items() if ids}, absent


def _anything_to_do(planned: _Planned) -> bool:
    report = planned.report
    unfinished = bool(planned.ledger.unfinished)
    return bool(report.writes or report.recorded or planned.raw.names or unfinished)


def _carry_out(planned: _Planned) -> tuple[Check, ...]:
    """Ledger, transaction, raw files, scrub, ledger: in this order."""
    run, target = planned.erasing.run, planned.erasing.target
    if is_open_elsewhere(target):
        raise TargetLocked(target)
    _require_room(target)
    ledger = record_erasure(planned.ledger, run.folders.name, run.started, planned.plan.ids)
    checks: tuple[Check, ...] = ()
    if planned.plan.writes:
        as_read = states_when_locked(planned.evidence, planned.plan.whole)
        checks = apply_erasure(planned.plan, target, as_read, run.folders.work)
    with finishing(target):
        planned.raw.remove()
        scrub(target)
        record_finished(ledger, run.folders.name, run.started)
    return checks


def _require_room(target: Path) -> None:
    """Raise DiskFull where the file does not fit twice more: it is rewritten, with a journal."""
    folder = target.absolute().parent
    vault.require_room(folder, 2 * target.stat().st_size, "target")
