"""Putting a whole file in the place of a database.

Invariant: at every instant the name holds the complete old database or the complete new one; an
old log or journal never meets a new database, also where its own database is long gone. Order: new
file written and synced beside the target → old log folded into the old database → what is left of
it removed, folder synced → renamed → folder synced.
"""

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from neotoma_core.errors import TargetError, TargetLocked
from neotoma_core.store.atomic import reached, sync_file, sync_folder, temporary_name
from neotoma_core.store.installing import install_database, remove_companions
from neotoma_core.store.sqlite_files import followed, is_open_elsewhere


def replace_database(target: Path, whole: Path | None) -> None:
    """Put a copy of ``whole`` in the place of ``target``; None removes the target.

    It keeps its owner and mode; of a link, what it names is replaced. Raises TargetLocked while
    another program is connected.
    """
    target = followed(target)
    if not target.exists():
        _put(target, whole)
        return
    if is_open_elsewhere(target):
        raise TargetLocked(target)
    try:
        with closing(sqlite3.connect(target, isolation_level=None, timeout=5)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            if mode == "wal":  # somebody reads it, and the log cannot be folded in
                raise TargetLocked(target)
            connection.execute("BEGIN EXCLUSIVE")
            _put(target, whole)
    except sqlite3.OperationalError as error:
        raise TargetLocked(target) from error
    except sqlite3.DatabaseError:  # it cannot be opened, and so not locked
        _put(target, whole)


def _keep_owner(target: Path, temporary: Path) -> None:
    """Give a new file the owner and mode of the one it replaces; of none, it is its maker's."""
    try:
        facts = target.stat()
    except FileNotFoundError:
        return
    made = temporary.stat()
    if (facts.st_uid, facts.st_gid) != (made.st_uid, made.st_gid):
        try:
            os.chown(temporary, facts.st_uid, facts.st_gid)
        except PermissionError as error:
            raise TargetError(
                target,
                "it belongs to another user or group",
                "run this as its owner, so that its server can write to it afterwards",
            ) from error
    temporary.chmod(stat.S_IMODE(facts.st_mode))


def _put(target: Path, whole: Path | None) -> None:
    if whole is None:
        remove_companions(target)
        target.unlink(missing_ok=True)
        sync_folder(target.absolute().parent)
        return
    temporary = temporary_name(target)
    try:
        temporary.unlink(missing_ok=True)
        temporary.touch(0o600, exist_ok=False)
        shutil.copyfile(whole, temporary)
        _keep_owner(target, temporary)
        reached("temp_written")
        sync_file(temporary)
        reached("temp_synced")
        install_database(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
