"""Wiping a database and making it anew, as Neotoma would, without any way to lose what was in it.

asked → backup, proven → evidence of the present files → an empty database in its place

The raw files stay where they are: they are in the backup too, and harm nothing.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.ddl import create_database
from neotoma_core.environments import environment_of
from neotoma_core.errors import TargetError, TargetLocked
from neotoma_core.losses import Extent, Loss, production_because
from neotoma_core.ops.backup_run import BackupRequest
from neotoma_core.ops.evidence import secure_database, write_manifest
from neotoma_core.ops.guarding import Guard, extent_of, pre_backup
from neotoma_core.ops.progress import Progress, Silent
from neotoma_core.ops.reporting import undo_command
from neotoma_core.ops.run import RecoverRequest, Run, target_of
from neotoma_core.report.document import document
from neotoma_core.store import vault
from neotoma_core.store.atomic import sync_file
from neotoma_core.store.interrupts import hold_interrupts
from neotoma_core.store.keys import KeySource
from neotoma_core.store.live_copies import copy_whole
from neotoma_core.store.replacing import replace_database
from neotoma_core.store.sqlite_files import is_open_elsewhere
from neotoma_core.store.vault_run import vault_run


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """Which database to wipe. ``key``: of encrypted columns, so that the backup can be proven.

    ``raw_storage``: where Neotoma keeps its raw files, if not beside it.
    """

    target: Path
    vault: Path
    guard: Guard
    key: KeySource | None = None
    raw_storage: Path | None = None


@dataclass(frozen=True, slots=True)
class ResetReport:
    """One reset: what went, the backup that has it, and how to undo it."""

    run: str
    outcome: str
    target: str
    observations: int
    entities: int
    production: str | None
    backup: str | None
    undo: str | None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def reset(request: ResetRequest, now: datetime, progress: Progress) -> ResetReport:
    """Wipe the target once the guard permits it and a verified backup is there.

    Raises TargetError, TargetLocked, BackupUnreadable, BackupDamaged, NotNeotoma, BackupNotIntact,
    VaultError, DiskFull: then the target is as it was.
    """
    target = request.target
    present = target_of(target)
    if present is None:
        raise TargetError(target, "there is no such file", "there is nothing to reset")
    with vault_run(request.vault, target, now) as folders:
        run = Run(RecoverRequest(target, (), request.vault), folders, present, (), (), (), now)
        loss = _loss(request, folders)
        if is_open_elsewhere(target):
            raise TargetLocked(target)
        if not request.guard.permit(loss):
            return _reported(run, loss, "declined", None)
        asked = BackupRequest(
            target,
            request.vault,
            "before-reset",
            expect_empty=True,
            key=request.key,
            raw_storage=request.raw_storage,
        )
        backup = pre_backup(asked, folders, now, progress)
        write_manifest(run, (secure_database(run, present, progress),))
        empty = _empty_database(folders.work / "empty.db")
        hold_interrupts()
        replace_database(target, empty)
    return _reported(run, loss, "reset", backup.backup)


def plan_reset(request: ResetRequest, now: datetime) -> ResetReport:
    """Report what a reset would take away; nothing is written to the target."""
    guard = Guard(lambda _: False, request.guard.environment)
    return reset(ResetRequest(request.target, request.vault, guard), now, Silent())


def _loss(request: ResetRequest, folders: vault.RunFolders) -> Loss:
    target = request.target
    scratch = folders.work / "loss"
    scratch.mkdir(mode=0o700)
    extent: Extent = extent_of(copy_whole(target, scratch), target)
    why = production_because(extent, request.guard.environment, environment_of(target.name))
    return Loss(target.name, extent.observations, extent.entities, extent.days, 1.0, why)


def _empty_database(path: Path) -> Path:
    """Make an empty database of the newest known version."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        connection.execute("BEGIN")
        for statement in create_database():
            connection.execute(statement)
        connection.execute("COMMIT")
    sync_file(path)
    return path


def _reported(run: Run, loss: Loss, outcome: str, backup: str | None) -> ResetReport:
    return ResetReport(
        run.folders.name,
        outcome,
        str(run.request.target),
        loss.observations,
        loss.entities,
        loss.production,
        backup,
        undo_command(run) if backup else None,
    )
