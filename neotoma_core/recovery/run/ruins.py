"""A target that cannot be used as it is: kept as evidence, and what is left of it a backup."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from neotoma_core.errors import TargetForeign
from neotoma_core.files.headers import LOG, companion
from neotoma_core.recovery.run.request import RecoveryRun
from neotoma_core.runs.run import DatabaseRef, Ruin
from neotoma_core.salvage.condition import Condition, condition_of, mend_copy
from neotoma_core.salvage.logs import database_of_log
from neotoma_core.salvage.rows import Salvaged
from neotoma_core.salvage.ruins import salvage_ruin
from neotoma_core.sqlite.copies import copy_database

SALVAGED: Final = "salvaged"


@dataclass(frozen=True, slots=True)
class Means:
    """How a target is read: what is wrong with it, and what can be saved of a copy of it."""

    condition: Callable[[Path, Path], Condition | None] = condition_of
    salvage: Callable[[Path, Path, Path], Salvaged | None] = salvage_ruin


IN_THIS_PROCESS: Final = Means()


def judge_target(run: RecoveryRun, means: Means = IN_THIS_PROCESS) -> RecoveryRun:
    """Return the run; where its target is a ruin, one that puts a new file in its place.

    What was salvaged of it is the last of the backups. Raises TargetForeign, TargetLocked, and
    TargetError where it cannot be read to the end.
    """
    if run.target is None:
        return _offer_log(run)
    found = means.condition(run.target.path, run.folders.work / "condition")
    if found is None:
        return run
    if found.foreign:
        raise TargetForeign(run.target.path, found.foreign)
    return _replace_ruin(run, run.target, found, means)


def _offer_log(run: RecoveryRun) -> RecoveryRun:
    """Return the run, with what the log of a target that is gone holds as its last backup."""
    target = run.path
    log, work = companion(target, LOG), run.folders.work / "log"
    if not log.is_file():
        return run
    work.mkdir(mode=0o700)
    copy = work / "pages.db"
    saved = salvage_ruin(copy, log, work / "saved") if database_of_log(log, copy) else None
    return run if saved is None else _offer(run, saved, log)


def _offer(run: RecoveryRun, saved: Salvaged, origin: Path) -> RecoveryRun:
    """Return the run with what was salvaged as the last of the backups."""
    source = DatabaseRef(
        len(run.backups),
        SALVAGED,
        saved.database,
        run.target_environment,
        origin=origin,
        suspect=True,
    )
    return replace(run, backups=(*run.backups, source))


def _replace_ruin(
    run: RecoveryRun, target: DatabaseRef, found: Condition, means: Means
) -> RecoveryRun:
    folder = run.folders.evidence / "target"
    folder.mkdir(mode=0o700, parents=True)
    files = copy_database(target.path, folder)
    copy, work = folder / target.path.name, run.folders.work / "ruin"
    work.mkdir(mode=0o700)
    ruin = Ruin(found.state, found.problem, folder, files)
    base = mend_copy(copy, target.path, work / "mended") if found.mendable else None
    if base is not None:
        mended_target = replace(target, label="mended", path=base, origin=target.path)
        return replace(run, target=mended_target, ruin=replace(ruin, base=base))
    saved = means.salvage(copy, target.path, work / "saved")
    if saved is None:
        return replace(run, target=None, ruin=ruin)
    ruin = replace(ruin, means=saved.means, advice=saved.advice)
    return _offer(replace(run, target=None, ruin=ruin), saved, target.path)
