"""A target that cannot be used as it is: kept as evidence, and what is left of it a backup."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from neotoma_core.errors import TargetForeign
from neotoma_core.files.headers import LOG, companion
from neotoma_core.recovery.run.request import RecoveryRun
from neotoma_core.runs.run import DatabaseRef, Ruin
from neotoma_core.salvage.condition import Condition, mend_copy
from neotoma_core.salvage.logs import database_of_log
from neotoma_core.salvage.rows import Salvaged
from neotoma_core.sqlite.copies import copy_database
from neotoma_core.workers.reading import Apart, condition_apart, salvage_apart

SALVAGED: Final = "salvaged"


def judge_target(run: RecoveryRun, apart: Apart) -> RecoveryRun:
    """Return the run; where its target is a ruin, one that puts a new file in its place.

    It is read in a process apart. What was salvaged of it is the last of the backups. Raises
    TargetForeign, TargetLocked, and TargetError where it cannot be read to the end.
    """
    if run.target is None:
        return _offer_log(run, apart)
    scratch = run.folders.work / "condition"
    found = condition_apart(apart, run.target.path, scratch)
    if found is None:
        return run
    if found.foreign:
        raise TargetForeign(run.target.path, found.foreign)
    return _replace_ruin(run, run.target, found, apart)


def _offer_log(run: RecoveryRun, apart: Apart) -> RecoveryRun:
    """Return the run, with what the log of a target that is gone holds as its last backup."""
    target = run.path
    log, work = companion(target, LOG), run.folders.work / "log"
    if not log.is_file():
        return run
    work.mkdir(mode=0o700)
    copy = work / "pages.db"
    saved = None
    if database_of_log(log, copy):
        saved = salvage_apart(apart, copy, log, work / "saved")
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
    run: RecoveryRun, target: DatabaseRef, found: Condition, apart: Apart
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
    saved = salvage_apart(apart, copy, target.path, work / "saved")
    if saved is None:
        return replace(run, target=None, ruin=ruin)
    ruin = replace(ruin, means=saved.means, advice=saved.advice)
    return _offer(replace(run, target=None, ruin=ruin), saved, target.path)
