"""Putting a database back to what evidence, a backup or a folder of Neotoma's own holds.

unpacked and proven → erased rows left out → guarded, evidence → raw files → renamed into place

Until the rename the target is what it was. A damaged source is refused before anything is written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from neotoma_core.comparison.differences import TableDifference, find_differences
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erasure.copies import Cleaned, without_erased
from neotoma_core.files.keys import KeySource
from neotoma_core.find.kinship import Offer, require_own
from neotoma_core.guard.guard import RESTORE, UNATTENDED, Guard
from neotoma_core.guard.replacement import readable_target, secure_target
from neotoma_core.ledger.file import read_erased_around
from neotoma_core.neotoma.environments import Environment, environment_of
from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.restore.raw_files import RawTarget, bring_back
from neotoma_core.restore.sources import (
    Restorable,
    RestoreSource,
    check_evidence,
    find_source,
    require_nothing_erased_since,
    require_other,
    unpack,
)
from neotoma_core.runs.commands import undo_command
from neotoma_core.runs.left_over import left_behind
from neotoma_core.runs.private_copy import target_run
from neotoma_core.runs.run import Run, require_environment

__all__ = ["RestoreReport", "RestoreRequest", "check_evidence", "restore", "restore_evidence"]


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """One restore. ``undo`` puts back what was there before it.

    ``erased``: rows the vault knows to be erased, which were left out. ``raw_files_restored``: raw
    files that were not there; ``raw_files_lost``: those that the source no longer has as they were;
    ``raw_files_missing``: those the database names that are not in ``raw_folder`` now. ``problem``:
    why an archive was not unpacked to its end. ``backup``: what was taken before, where nearly all
    observations went. ``differences``: of a plan, what becomes of each table.
    ``findings``: what the target left that was there before, kept as evidence.
    """

    evidence: str
    target: str
    outcome: str
    erased: int
    undo: str | None
    raw_files_restored: int = 0
    raw_files_lost: int = 0
    raw_files_missing: int = 0
    raw_folder: str | None = None
    problem: str | None = None
    backup: str | None = None
    differences: tuple[TableDifference, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """From where, to where, by which means.

    ``key``: where the key of encrypted columns is, for snapshots that change because something in
    them was erased. ``guard``: who is asked before nearly all observations go.
    ``raw_storage``: where Neotoma keeps the target's raw files, if not beside it.
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
    with _restoring(request, now) as (run, found, cleaned, erased):
        whole = cleaned.whole if cleaned else None
        secured = secure_target(run, whole, request.guard, RESTORE, progress)
        secured = replace(secured, ruin=found.ruin)
        if not secured.granted:
            return RestoreReport(str(source.folder), str(target), "declined", 0, None)
        to = _raw_target(request, found)
        raw = bring_back(source, found, cleaned, to, erased, run.folders.work)
        findings = secured.findings
        secured.replace()
    return RestoreReport(
        str(source.folder),
        str(target),
        "restored",
        cleaned.rows if cleaned else 0,
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
    with _restoring(request, now) as (run, found, cleaned, _):
        whole = cleaned.whole if cleaned else None
        changes = find_differences(readable_target(run), whole, request.target)
        rows = cleaned.rows if cleaned else 0
        source, target = str(request.source.folder), str(request.target)
        report = RestoreReport(source, target, "planned", rows, None, differences=changes)
        return replace(report, problem=found.problem or None, findings=tuple(left_behind(run)))


@contextmanager
def _restoring(
    request: RestoreRequest, now: datetime
) -> Iterator[tuple[Run, Restorable, Cleaned | None, ErasedIds]]:
    """Hold the vault and yield what is to be put back, proven, and what was erased from it."""
    source, target = request.source, request.target
    _require_environment(request, source.environment)
    require_other(source.copy if source.origin == "neotoma" else None, target)
    with target_run(
        target, request.vault, now, request.key, patience=0.0, raw_storage=request.raw_storage
    ) as run:
        found = unpack(source, run.folders.work / "restore", target)
        _require_environment(request, found.environment)
        erased = read_erased_around(request.vault, source.folder)
        cleaned = None
        if found.whole is not None:
            cleaned = without_erased(found.whole, erased, run, request.key)
        if found.ruin is not None:
            require_nothing_erased_since(source, request.vault)
        _require_own(request, run, cleaned.whole if cleaned else None, found)
        yield run, found, cleaned, erased


def restore_evidence(  # noqa: PLR0913 - from where, to where, by which means
    evidence: Path,
    target: Path,
    vault_folder: Path,
    now: datetime,
    progress: Progress,
    *,
    key: KeySource | None = None,
    guard: Guard = UNATTENDED,
) -> RestoreReport:
    """Put ``target`` back to the copy in ``evidence``: the undo of a recovery. See ``restore``."""
    source = find_source(str(evidence), vault_folder)
    request = RestoreRequest(source, target, vault_folder, key, guard=guard)
    return restore(request, now, progress)


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
