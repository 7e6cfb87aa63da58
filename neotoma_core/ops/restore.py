"""Putting a database back to what evidence, a backup or a folder of Neotoma's own holds.

unpack and prove → present database into evidence → raw files → renamed into place

Until the rename the target is what it was. A damaged source is refused before anything is written.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.environments import Environment, environment_of
from neotoma_core.errors import EnvironmentMismatch, TargetLocked
from neotoma_core.ops.backup_run import BackupRequest
from neotoma_core.ops.erased_copies import without_erased
from neotoma_core.ops.evidence import secure_database, write_manifest
from neotoma_core.ops.guarding import Guard, extent_of, measure_loss, pre_backup
from neotoma_core.ops.progress import Progress, Silent
from neotoma_core.ops.reporting import undo_command
from neotoma_core.ops.restore_raw_files import RawTarget, bring_back
from neotoma_core.ops.restore_sources import (
    Restorable,
    RestoreSource,
    check_evidence,
    find_source,
    require_other,
    unpack,
)
from neotoma_core.ops.run import RecoverRequest, Run, target_of
from neotoma_core.report.document import document
from neotoma_core.store import vault
from neotoma_core.store.interrupts import hold_interrupts
from neotoma_core.store.keys import KeySource
from neotoma_core.store.replacing import replace_database
from neotoma_core.store.sqlite_files import is_open_elsewhere
from neotoma_core.store.vault_run import vault_run

__all__ = ["RestoreReport", "RestoreRequest", "check_evidence", "restore", "restore_evidence"]


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """One restore. ``undo`` puts back what was there before it.

    ``erased``: rows the vault knows to be erased, which were left out. ``raw_files_restored``: raw
    files that were not there; ``raw_files_lost``: those that the source no longer has as they were;
    ``raw_files_missing``: those the database names that are not in ``raw_folder`` now. ``problem``:
    why an archive was not unpacked to its end.
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

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """From where, to where, by which means.

    ``key``: where the key of encrypted columns is, for snapshots that change because something in
    them was erased. ``guard``: who is asked before nearly all observations go; None: nobody.
    ``raw_storage``: where Neotoma keeps the target's raw files, if not beside it.
    """

    source: RestoreSource
    target: Path
    vault: Path
    key: KeySource | None = None
    allow_environment_mismatch: bool = False
    guard: Guard | None = None
    raw_storage: Path | None = None


def restore(request: RestoreRequest, now: datetime, progress: Progress) -> RestoreReport:
    """Put the target back to what the source holds; what is there now becomes new evidence.

    What was erased is left out: it is erased from the copy before that takes the target's place.
    Raises TargetLocked while another program is connected to the target; BackupNotIntact,
    BackupDamaged, EnvironmentMismatch, KeyMissing, VaultError, DiskFull. Then nothing was changed.
    """
    source, target = request.source, request.target
    present = target_of(target)
    _require_environment(request, request.source.environment)
    require_other(source.copy if source.origin == "neotoma" else None, target)
    with vault_run(request.vault, target, now) as folders:
        run = Run(RecoverRequest(target, (), request.vault), folders, present, (), (), (), now)
        found = unpack(source, folders.work / "restore", target)
        _require_environment(request, found.environment)
        whole = found.whole
        if present is not None and is_open_elsewhere(target):
            raise TargetLocked(target)
        if not _permitted(request, whole, folders, now):
            return RestoreReport(str(source.folder), str(target), "declined", 0, None)
        kept = tuple(secure_database(run, d, progress) for d in run.databases)
        write_manifest(run, kept)
        erased = 0
        if whole is not None:
            vaults = (request.vault, source.vault)
            whole, erased = without_erased(whole, vaults, run, request.key)
        to = _raw_target(request, found)
        raw = bring_back(source, found, whole, to, folders.work)
        hold_interrupts()
        replace_database(target, whole)
    return RestoreReport(
        str(source.folder),
        str(target),
        "restored",
        erased,
        undo_command(run),
        raw.restored,
        raw.lost,
        raw.missing,
        str(raw.place),
        found.problem or None,
    )


def restore_evidence(  # noqa: PLR0913 - from where, to where, by which means
    evidence: Path,
    target: Path,
    vault_folder: Path,
    now: datetime,
    progress: Progress,
    *,
    key: KeySource | None = None,
) -> RestoreReport:
    """Put ``target`` back to the copy in ``evidence``: the undo of a recovery. See ``restore``."""
    source = find_source(str(evidence), vault_folder)
    return restore(RestoreRequest(source, target, vault_folder, key), now, progress)


def _permitted(
    request: RestoreRequest, whole: Path | None, folders: vault.RunFolders, now: datetime
) -> bool:
    """Return whether the target may lose what it loses; nearly all is backed up first."""
    if request.guard is None or not request.target.exists():
        return True
    left = extent_of(whole, request.target).observations if whole else 0
    scratch, environment = folders.work / "loss", request.guard.environment
    loss = measure_loss(request.target, left, scratch, environment)
    if loss is None:
        return True
    if not request.guard.permit(loss):
        return False
    asked = BackupRequest(
        request.target,
        request.vault,
        "before-restore",
        key=request.key,
        raw_storage=request.raw_storage,
    )
    pre_backup(asked, folders, now, Silent())
    return True


def _require_environment(request: RestoreRequest, theirs: Environment | None) -> None:
    ours = environment_of(request.target.name)
    if request.source.origin == "evidence" or request.allow_environment_mismatch:
        return
    if theirs and ours and theirs != ours:
        raise EnvironmentMismatch(request.source.folder, theirs, ours)


def _raw_target(request: RestoreRequest, found: Restorable) -> RawTarget:
    known = environment_of(request.target.name) or found.environment or "development"
    return RawTarget(request.target, known, request.vault, request.raw_storage)
