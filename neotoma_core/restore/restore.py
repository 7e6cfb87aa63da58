"""Putting a database back to what evidence, a backup or a folder of Neotoma's own holds.

unpacked and proven → erased rows left out → guarded, evidence → raw files → renamed into place

Until the rename the target is what it was. A damaged source is refused before anything is written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from neotoma_core.comparison.differences import find_differences
from neotoma_core.erasure.copies import without_erased
from neotoma_core.files.keys import KeySource
from neotoma_core.find.kinship import Offer, require_own
from neotoma_core.guard.guard import RESTORE, UNATTENDED, Guard
from neotoma_core.guard.replacement import readable_target, secure_target
from neotoma_core.ledger.file import read_erased_around
from neotoma_core.neotoma.environments import Environment, environment_of
from neotoma_core.report.progress import Progress
from neotoma_core.restore.raw_files import PutBack, RawTarget, bring_back
from neotoma_core.restore.report import RestoreReport
from neotoma_core.restore.restorable import Restorable, unpack
from neotoma_core.restore.sources import (
    RestoreSource,
    require_nothing_erased_since,
    require_other,
)
from neotoma_core.runs.begin import target_run
from neotoma_core.runs.commands import undo_command
from neotoma_core.runs.left_over import find_left_behind
from neotoma_core.runs.run import Run, require_environment


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """From where, to where, by which means.

    ``key``: where the key of encrypted columns is, for snapshots that change because something in
    them was erased. ``guard``: who is asked before nearly all observations go.
    ``raw_storage``: where Neotoma keeps the target's raw files, if not next to it.
    """

    source: RestoreSource
    target: Path
    vault: Path
    key: KeySource | None = None
    allow_environment_mismatch: bool = False
    guard: Guard = UNATTENDED
    raw_storage: Path | None = None


def restore(request: RestoreRequest, now: datetime, progress: Progress) -> RestoreReport:
    """Put the target back to what the source holds; what is there now becomes new evidence.

    What was erased is left out: it is erased from the copy before that takes the target's place.
    Raises TargetLocked while another program is connected to the target; TargetChanged,
    BackupNotIntact, BackupDamaged, EnvironmentMismatch, DatabaseMismatch, KeyMissing, VaultError,
    DiskFull, and UsageError where the guard cannot ask. Then the target is as it was.
    """
    source, target = request.source, request.target
    with _restoring(request, now) as (run, put_back):
        found = put_back.found
        secured = secure_target(run, put_back.whole, request.guard, RESTORE, progress)
        secured = replace(secured, ruin=found.ruin)
        if not secured.granted:
            return RestoreReport(str(source.folder), str(target), "declined", 0, None)
        to = _raw_target(request, found)
        raw = bring_back(put_back, to, run.folders.work)
        findings = secured.findings
        secured.replace()
    return RestoreReport(
        str(source.folder),
        str(target),
        "restored",
        put_back.rows_left_out,
        undo_command(run),
        raw.restored,
        raw.lost,
        raw.missing,
        str(raw.place),
        found.problem or None,
        secured.backup,
        findings=findings,
    )


def plan_restore(request: RestoreRequest, now: datetime) -> RestoreReport:
    """Report what a restore would change, row for row; raises what ``restore`` does."""
    with _restoring(request, now) as (run, put_back):
        changes = find_differences(readable_target(run), put_back.whole, request.target)
        rows = put_back.rows_left_out
        source, target = str(request.source.folder), str(request.target)
        report = RestoreReport(source, target, "planned", rows, None, differences=changes)
        return replace(
            report, problem=put_back.found.problem or None, findings=tuple(find_left_behind(run))
        )


@contextmanager
def _restoring(request: RestoreRequest, now: datetime) -> Iterator[tuple[Run, PutBack]]:
    """Hold the vault and yield what is to be put back, proven."""
    source, target = request.source, request.target
    _require_environment(request, source.environment)
    require_other(source.copy if source.origin == "neotoma" else None, target)
    with target_run(request, now, patience=0.0) as run:
        found = unpack(source, run.folders.work / "restore", target)
        _require_environment(request, found.environment)
        erased = read_erased_around(request.vault, source.folder)
        cleaned = None
        if found.whole is not None:
            cleaned = without_erased(found.whole, erased, run, request.key)
        if found.ruin is not None:
            require_nothing_erased_since(source, request.vault)
        put_back = PutBack(source, found, cleaned, erased)
        _require_own(request, run, put_back.whole, found)
        yield run, put_back


def _require_own(request: RestoreRequest, run: Run, whole: Path | None, found: Restorable) -> None:
    """Raise where the source is of another database than the target, unless that is meant.

    Evidence of the target itself is the way back, whatever has taken its place meanwhile.
    """
    source = request.source
    undoes = source.origin == "evidence" and source.taken_of in (None, request.target.absolute())
    if whole is not None and not undoes and not request.allow_environment_mismatch:
        offer = Offer(whole, source.folder, found.environment)
        require_own(run, readable_target(run), (offer,))


def _require_environment(request: RestoreRequest, theirs: Environment | None) -> None:
    if request.source.origin != "evidence" and not request.allow_environment_mismatch:
        require_environment(request.source.folder, theirs, request.target)


def _raw_target(request: RestoreRequest, found: Restorable) -> RawTarget:
    known = environment_of(request.target.name) or found.environment or "development"
    return RawTarget(request.target, known, request.vault, request.raw_storage)
