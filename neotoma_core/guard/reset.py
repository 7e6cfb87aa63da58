"""Wiping a database and recreating it, as Neotoma would, so that nothing in it can be lost.

guarded, whatever it holds → evidence of the present files → an empty database in its place

The raw files stay where they are: they are in the backup too, and harm nothing.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.files.atomic import sync_file
from neotoma_core.files.keys import KeySource
from neotoma_core.guard.guard import RESET, Guard
from neotoma_core.guard.replacement import Secured, secure_target
from neotoma_core.guard.reset_report import ResetReport
from neotoma_core.neotoma.ddl import create_database
from neotoma_core.report.progress import Progress, Silent
from neotoma_core.runs.begin import target_run
from neotoma_core.runs.commands import undo_command
from neotoma_core.runs.left_over import missing_target
from neotoma_core.runs.run import target_of


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """Which database to wipe. ``key``: of encrypted columns, so that the backup can be proven.

    ``raw_storage``: where Neotoma keeps its raw files, if not next to it.
    """

    target: Path
    vault: Path
    guard: Guard
    key: KeySource | None = None
    raw_storage: Path | None = None


def reset(request: ResetRequest, now: datetime, progress: Progress) -> ResetReport:
    """Wipe the target once the guard permits it and a verified backup is there.

    Raises TargetError, TargetLocked, TargetChanged, BackupUnreadable, BackupDamaged, NotNeotoma,
    BackupNotIntact, VaultError, DiskFull, UsageError: then the target is as it was.
    """
    target = request.target
    if target_of(target) is None:
        raise missing_target(target, request.vault, "there is nothing to reset")
    with target_run(request, now, patience=0.0) as run:
        empty = _empty_database(run.folders.work / "empty.db")
        secured = secure_target(run, empty, request.guard, RESET, progress)
        if secured.granted:
            secured.replace()
    return _report_of(secured)


def plan_reset(request: ResetRequest, now: datetime) -> ResetReport:
    """Report what a reset would take away; nothing is written to the target."""
    guard = Guard(lambda _: False, request.guard.environment)
    return reset(ResetRequest(request.target, request.vault, guard), now, Silent())


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


def _report_of(secured: Secured) -> ResetReport:
    run, loss = secured.run, secured.loss
    return ResetReport(
        run.folders.name,
        "reset" if secured.granted else "declined",
        str(run.path),
        loss.observations if loss else 0,
        loss.entities if loss else 0,
        loss.production if loss else None,
        secured.backup,
        undo_command(run) if secured.granted else None,
    )
