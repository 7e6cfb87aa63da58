"""Putting a database back to what evidence, a backup or a folder of Neotoma's own holds.

unpack and prove → present database into evidence → raw files → renamed into place

Until the rename the target is what it was. A damaged source is refused before anything is written.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.environments import RAW_FOLDERS, environment_of
from neotoma_core.errors import EnvironmentMismatch, TargetLocked
from neotoma_core.ops.backup_run import BackupRequest
from neotoma_core.ops.erased_copies import without_erased
from neotoma_core.ops.evidence import secure_database, write_manifest
from neotoma_core.ops.guarding import Guard, extent_of, measure_loss, pre_backup
from neotoma_core.ops.progress import Progress, Silent
from neotoma_core.ops.reporting import undo_command
from neotoma_core.ops.restore_sources import (
    RestoreSource,
    check_evidence,
    find_source,
    put_raw_files,
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
    files that were not there; ``raw_files_lost``: those that are no longer in the vault.
    """

    evidence: str
    target: str
    outcome: str
    erased: int
    undo: str | None
    raw_files_restored: int = 0
    raw_files_lost: int = 0

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """From where, to where, by which means.

    ``key``: where the key of encrypted columns is, for snapshots that change because something in
    them was erased. ``guard``: who is asked before nearly all observations go; None: nobody.
    """

    source: RestoreSource
    target: Path
    vault: Path
    key: KeySource | None = None
    allow_environment_mismatch: bool = False
    guard: Guard | None = None


def restore(request: RestoreRequest, now: datetime, progress: Progress) -> RestoreReport:
    """Put the target back to what the source holds; what is there now becomes new evidence.

    What was erased is left out: it is erased from the copy before that takes the target's place.
    Raises TargetLocked while another program is connected to the target; BackupNotIntact,
    BackupDamaged, EnvironmentMismatch, KeyMissing, VaultError, DiskFull. Then nothing was changed.
    """
    source, target = request.source, request.target
    present = target_of(target)
    _require_environment(request)
    with vault_run(request.vault, target, now) as folders:
        run = Run(RecoverRequest(target, (), request.vault), folders, present, (), (), (), now)
        whole = unpack(source, folders.work / "restore", target)
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
        copied, lost = _raw_files(request, folders.work)
        hold_interrupts()
        replace_database(target, whole)
    undo = undo_command(run)
    return RestoreReport(str(source.folder), str(target), "restored", erased, undo, copied, lost)


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
    asked = BackupRequest(request.target, request.vault, "before-restore", key=request.key)
    pre_backup(asked, folders, now, Silent())
    return True


def _require_environment(request: RestoreRequest) -> None:
    theirs, ours = request.source.environment, environment_of(request.target.name)
    if request.source.origin == "evidence" or request.allow_environment_mismatch:
        return
    if theirs and ours and theirs != ours:
        raise EnvironmentMismatch(request.source.folder, theirs, ours)


def _raw_files(request: RestoreRequest, scratch: Path) -> tuple[int, int]:
    parent = request.target.absolute().parent
    known = environment_of(request.target.name) or request.source.environment or "development"
    folders = {environment: parent / name for environment, name in RAW_FOLDERS.items()}
    return put_raw_files(request.source, scratch, folders, known)
