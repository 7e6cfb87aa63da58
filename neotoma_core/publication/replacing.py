"""Putting a whole file in the place of a database.

Invariant: at every instant the name holds the complete old database or the complete new one; an
old log or journal never meets a new database, also where its own database is long gone. Order: new
file written and synced next to the target → old log folded into the old database → what is left of
it removed, folder synced → renamed → folder synced.
"""

import errno
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Final

from neotoma_core.errors import TargetError, TargetLocked, record_commit
from neotoma_core.files.atomic import announce, install, sync_file, sync_folder, temporary_name
from neotoma_core.files.headers import companion, companions, follow, is_open_elsewhere
from neotoma_core.publication.installing import install_database, remove_companions
from neotoma_core.publication.overwriting import copy_within, overwrite
from neotoma_core.sqlite.untrusted import connect, is_locked

_NOT_RENAMED: Final = (errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES)


def replace_database(target: Path, whole: Path | None) -> None:
    """Put a copy of ``whole`` in the place of ``target``; None removes the target.

    It keeps its owner and mode; of a link, what it names is replaced. A file that cannot be renamed
    over, as one that is a mount of its own, gets the content within SQLite's own transaction.
    Raises TargetLocked while another program is connected.
    """
    target = follow(target)
    try:
        _replace(target, whole)
    except OSError as error:
        if whole is None or error.errno not in _NOT_RENAMED or not target.exists():
            raise
        copy_within(whole, target)


def replace_by_ruin(target: Path, ruin: Path) -> None:
    """Put copies of a database that is damaged in the place of ``target``, its log and all.

    Until its log is there, which comes last, the target is the ruin without it; to do it again
    completes it. Raises TargetLocked.
    """
    target = follow(target)
    try:
        _replace(target, ruin)
    except OSError as error:
        if error.errno not in _NOT_RENAMED:
            raise
        overwrite(ruin, target)
    for path in companions(ruin):
        place = companion(target, path.name.removeprefix(ruin.name))
        _write_beside(path, place, target)


def _write_beside(path: Path, place: Path, owner: Path) -> None:
    temporary = temporary_name(place)
    try:
        _copy(path, temporary, owner)
        install(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)


def _replace(target: Path, whole: Path | None) -> None:
    if not target.exists():
        _put(target, whole)
        return
    if is_open_elsewhere(target):
        raise TargetLocked(target)
    try:
        with closing(connect(target)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            if mode == "wal":  # somebody reads it, and the log cannot be folded in
                raise TargetLocked(target)
            connection.execute("BEGIN EXCLUSIVE")
            _put(target, whole)
    except sqlite3.DatabaseError as error:
        if is_locked(error):
            raise TargetLocked(target) from error
        _put(target, whole)  # it cannot be opened, and so not locked


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
        record_commit(target)
        sync_folder(target.absolute().parent)
        return
    temporary = temporary_name(target)
    try:
        _copy(whole, temporary, target)
        install_database(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _copy(whole: Path, temporary: Path, owner: Path) -> None:
    """Write a copy to the disk, with the owner and mode of another file, if that is there."""
    temporary.unlink(missing_ok=True)
    temporary.touch(0o600, exist_ok=False)
    shutil.copyfile(whole, temporary)
    _keep_owner(owner, temporary)
    announce("temp_written")
    sync_file(temporary)
    announce("temp_synced")
