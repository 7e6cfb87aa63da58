"""A recovery from copies that are searched for: chosen so that together they hold everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from neotoma_core.coverage.composition import Composition, Setting, compose
from neotoma_core.errors import UsageError
from neotoma_core.find.own_copies import family_of, number_of
from neotoma_core.find.places import look_further
from neotoma_core.find.search import Found, FoundCopy, SearchRequest, search
from neotoma_core.find.vault_copies import backups_in
from neotoma_core.ledger.file import read_erased
from neotoma_core.recovery.run.request import RecoverRequest, RecoveryRun
from neotoma_core.recovery.run.ruins import judge_target
from neotoma_core.report.composition import CompositionReport, UnusedCopy, UsedCopy
from neotoma_core.report.layout import escape_name
from neotoma_core.report.progress import Progress
from neotoma_core.runs.run import DatabaseRef, target_of
from neotoma_core.vault.lease import vault_run
from neotoma_core.workers.pool import Workers
from neotoma_core.workers.reading import Apart, unpack_raw_files_apart


@contextmanager
def compose_run(
    request: RecoverRequest, where: SearchRequest, now: datetime, progress: Progress
) -> Iterator[RecoveryRun]:
    """Search for copies, choose, and hold the vault until the run with them is over.

    ``request.backups`` is filled in. Raises UsageError where nothing was found, or it is unclear
    which of several databases the target is.
    """
    target = target_of(request.target)
    with vault_run(request.vault, request.target, now) as folders:
        scratch = folders.work / "found"
        scratch.mkdir(mode=0o700)
        also = [*([request.target] if target else []), *backups_in(request.vault)]
        own = (*where.leave_out, folders.work, folders.evidence)
        where = replace(where, erased=read_erased(request.vault), leave_out=own)
        with Workers(where.setting, scratch, of_rows=True) as workers:
            begun = RecoveryRun(
                folders,
                request.target,
                target,
                now,
                request.key,
                request.raw_storage,
                request=request,
            )
            apart = Apart(workers, where.allowance)
            run = judge_target(begun, apart)
            found = search(where, scratch, progress, also, workers)
            number = number_of(found, request.target)
            composition = compose_for(found, run, number)
            picked = [found.copies[pick.number] for pick in composition.picks]
            backups = [_backup(found, copy, place, apart) for place, copy in enumerate(picked)]
        backups += [replace(saved, number=len(picked)) for saved in run.backups]
        yield replace(
            run,
            request=replace(request, backups=tuple(b.path for b in backups)),
            backups=tuple(backups),
            composition=_report(found, composition, number, begun),
        )


def compose_for(found: Found, run: RecoveryRun, number: int | None) -> Composition:
    """Choose the copies to recover the target from; raises UsageError.

    A ruin is not among them: what was salvaged of it comes last, whatever it adds.
    """
    request = run.request
    target = number if number in found.known else None
    own = family_of(found, target, request.target)
    known = found.known
    if run.ruin is not None:
        known = {n: copy for n, copy in known.items() if n != number}
        own, target = tuple(n for n in own if n != number), None
    mismatch = request.allow_environment_mismatch
    setting = Setting(target, own, run.target_environment, mismatch)
    composition = compose(setting, known, found.observations, found.others)
    saved = run.backups or (run.ruin is not None and run.ruin.base is not None)
    if not composition.picks and not saved:
        raise UsageError(nothing_to_add(found, request.target, composition))
    return composition


def nothing_to_add(found: Found, target: Path, composition: Composition) -> str:
    """Return the message that no copy has anything for the target."""
    places = escape_name(", ".join(map(str, found.request.paths)))
    others = [copy for copy in found.copies if copy.number != number_of(found, target)]
    if not others:
        return (
            f"{places}: no copy of a Neotoma database among {found.walked.files:,} files; "
            "search elsewhere, or name the copy with --backup"
        )
    reasons = {left.reason for left in composition.left_out}
    reasons |= {c.examined.problem for c in others if c.number not in found.known}
    return (
        f"{places}: none of the {len(others):,} copies found has anything for {target} "
        f"({'; '.join(sorted(reasons))}); `midden find` says what each holds"
    )


def _backup(found: Found, copy: FoundCopy, place: int, apart: Apart) -> DatabaseRef:
    """Return a copy as a backup of the run; its raw files are taken out of its archive only now."""
    is_elsewhere = copy.readable != copy.path
    problem = ""
    raw_places: tuple[Path, ...] = (copy.path.parent,)
    if copy.unpacked is not None:
        raw_places = (copy.unpacked.parent, *raw_places)
    if copy.packed is not None and copy.unpacked is not None and copy.raw_files:
        limits = found.request.limits
        problem = unpack_raw_files_apart(apart, copy.packed, copy.member, copy.unpacked, limits)
    return DatabaseRef(
        number=place,
        label=f"backup-{place + 1}",
        path=copy.readable,
        environment=found.environment(copy.number)[0],
        origin=copy.path if is_elsewhere else None,
        member=copy.member,
        suspect=copy.is_salvaged,
        raw_places=raw_places,
        cut_short=problem,
    )


def _report(
    found: Found, composition: Composition, target: int | None, run: RecoveryRun
) -> CompositionReport:
    used = []
    for pick in composition.picks:
        copy = found.copies[pick.number]
        salvaged = copy.examined.salvaged
        used.append(
            UsedCopy(
                copy.shown,
                pick.adds,
                pick.loses,
                pick.further,
                salvaged.means if salvaged else None,
                (salvaged.advice or None) if salvaged else None,
            )
        )
    reasons = {left.number: left.reason for left in composition.left_out}
    reasons |= {c.number: c.examined.problem for c in found.copies if not c.examined.holdings}
    reasons.pop(-1 if target is None else target, None)
    unused = [UnusedCopy(found.copies[n].shown, reasons[n]) for n in sorted(reasons)]
    unused += [UnusedCopy(escape_name(str(path)), problem) for path, problem in found.archives]
    return CompositionReport(
        found.request.said,
        found.walked.files,
        len(found.copies),
        tuple(used),
        tuple(unused),
        tuple(escape_name(f"{path}: {reason}") for path, reason in found.walked.unreadable),
        look_further(found.request, run.path, run.folders.vault),
    )
