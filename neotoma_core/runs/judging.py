"""A target that cannot be used as it is: kept as evidence, and what can be read of it a source."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from neotoma_core.errors import BackupError, TargetForeign, TargetRuined
from neotoma_core.files.headers import LOG, companion, followed
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.report.layout import labelled
from neotoma_core.runs.commands import recover_command
from neotoma_core.runs.ruin import Ruin
from neotoma_core.runs.run import DatabaseRef, RecoverRequest, Run, named_run, target_of
from neotoma_core.salvage.condition import Condition, condition_of, mended
from neotoma_core.salvage.foreign import foreign_because
from neotoma_core.salvage.logs import database_of_log
from neotoma_core.salvage.rows import Salvaged
from neotoma_core.salvage.ruins import salvaged_from
from neotoma_core.sqlite.copies import copy_database, copy_privately
from neotoma_core.sqlite.opening import connect_read_only

SALVAGED: Final = "salvaged"


@contextmanager
def recovery_run(request: RecoverRequest, now: datetime) -> Iterator[Run]:
    """Check the inputs, the target among them, and hold the vault until the run is over.

    Raises UsageError, BackupUnreadable, TargetError, EnvironmentMismatch, VaultError.
    """
    with named_run(request, now) as run:
        yield usable_or_ruin(run)


@dataclass(frozen=True, slots=True)
class Means:
    """How a target is read: what is wrong with it, and what can be saved of a copy of it."""

    condition: Callable[[Path, Path], Condition | None] = condition_of
    salvage: Callable[[Path, Path, Path], Salvaged | None] = salvaged_from


IN_THIS_PROCESS: Final = Means()


def usable_or_ruin(run: Run, means: Means = IN_THIS_PROCESS) -> Run:
    """Return the run; where its target is a ruin, one that puts a new file in its place.

    What was salvaged of it is the last of the backups. Raises TargetForeign, TargetLocked, and
    TargetError where it cannot be read to the end.
    """
    if run.target is None:
        return _with_log(run)
    found = means.condition(run.target.path, run.folders.work / "condition")
    if found is None:
        return run
    if found.foreign:
        raise TargetForeign(run.target.path, found.foreign)
    return _replacing(run, run.target, found, means)


def _with_log(run: Run) -> Run:
    """Return the run, with what the log of a target that is gone holds as its last backup."""
    target = run.request.target
    log, work = companion(target, LOG), run.folders.work / "log"
    if not log.is_file():
        return run
    work.mkdir(mode=0o700)
    copy = work / "pages.db"
    saved = salvaged_from(copy, log, work / "saved") if database_of_log(log, copy) else None
    return run if saved is None else _offering(run, saved, log)


def _offering(run: Run, saved: Salvaged, origin: Path) -> Run:
    """Return the run with what was salvaged as the last of the backups."""
    source = DatabaseRef(
        len(run.backups),
        SALVAGED,
        saved.database,
        environment_of(run.request.target.name),
        origin=origin,
        suspect=True,
    )
    return replace(run, backups=(*run.backups, source))


def _replacing(run: Run, target: DatabaseRef, found: Condition, means: Means) -> Run:
    folder = run.folders.evidence / "target"
    folder.mkdir(mode=0o700, parents=True)
    files = copy_database(target.path, folder)
    copy, work = folder / target.path.name, run.folders.work / "ruin"
    work.mkdir(mode=0o700)
    ruin = Ruin(found.state, found.problem, folder, files)
    base = mended(copy, target.path, work / "mended") if found.mendable else None
    if base is not None:
        mended_target = replace(target, label="mended", path=base, origin=target.path)
        return replace(run, target=mended_target, ruin=replace(ruin, base=base))
    saved = means.salvage(copy, target.path, work / "saved")
    if saved is None:
        return replace(run, target=None, ruin=ruin)
    ruin = replace(ruin, means=saved.means, advice=saved.advice)
    return _offering(replace(run, target=None, ruin=ruin), saved, target.path)


def salvageable(target: Path, folder: Path) -> Path | None:
    """Return a database of what can be saved of a damaged target; None where nothing can.

    ``folder``: a new one, for scratch. Raises TargetForeign, TargetLocked.
    """
    folder.mkdir(mode=0o700)
    found = condition_of(target, folder / "condition")
    if found is not None and found.foreign:
        raise TargetForeign(target, found.foreign)
    (folder / "copy").mkdir(mode=0o700)
    copy = copy_privately(target, folder / "copy")
    base = mended(copy, target, folder / "mended") if found and found.mendable else None
    saved = None if base else salvaged_from(copy, target, folder / "saved")
    return saved.database if saved else base


def ruin_text(target: Path, vault: Path, scratch: Path) -> str:
    """Return what a user should know of a target that is to be replaced; empty where it is sound.

    Raises TargetForeign, TargetLocked.
    """
    found = condition_of(target, scratch / "condition") if target_of(target) else None
    if found is None:
        return ""
    saved = salvageable(target, scratch / "salvage")
    rows = 0
    if saved is not None:
        with closing(connect_read_only(saved)) as connection, suppress(sqlite3.Error):
            (rows,) = connection.execute("SELECT count(*) FROM observations").fetchone()
    wrong = found.problem.removeprefix(f"{found.state}: ")
    next_one = f"to merge them: {recover_command(target, vault)}"
    more = f"{rows:,} observations can be salvaged of it; {next_one}" if rows else "no row is left"
    return labelled(found.state, f"{target}: {wrong}; {more}")


@contextmanager
def ruin_named(target: Path, vault: Path) -> Iterator[None]:
    """Turn what is wrong with a target into an error that says what to do about it.

    Raises TargetRuined, TargetForeign.
    """
    try:
        yield
    except BackupError as error:
        if error.path != target or not (target.is_file() and os.access(target, os.R_OK)):
            raise
        foreign = foreign_because(followed(target))
        if foreign:
            raise TargetForeign(target, foreign) from error
        raise TargetRuined(target, error.wrong, recover_command(target, vault)) from error
