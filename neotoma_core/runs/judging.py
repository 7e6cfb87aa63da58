"""A target that cannot be used as it is: what can be saved of it, and what is said of it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from neotoma_core.errors import BackupError, TargetForeign, TargetRuined
from neotoma_core.files.headers import follow
from neotoma_core.report.layout import label_line
from neotoma_core.runs.commands import recover_command
from neotoma_core.runs.run import target_of
from neotoma_core.salvage.condition import condition_of, mend_copy
from neotoma_core.salvage.foreign import foreign_because
from neotoma_core.salvage.ruins import salvage_ruin
from neotoma_core.sqlite.copies import copy_privately
from neotoma_core.sqlite.opening import connect_read_only


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
    base = mend_copy(copy, target, folder / "mended") if found and found.mendable else None
    saved = None if base else salvage_ruin(copy, target, folder / "saved")
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
    return label_line(found.state, f"{target}: {wrong}; {more}")


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
        foreign = foreign_because(follow(target))
        if foreign:
            raise TargetForeign(target, foreign) from error
        raise TargetRuined(target, error.wrong, recover_command(target, vault)) from error
