"""Putting a whole file in the place of a database.

Invariant: at every instant the name holds the complete old database or the complete new one; an
old write-ahead log never meets a new database. Order: new file written and synced beside the
target → old log folded into the old database → renamed → folder synced.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from neotoma_core.errors import TargetLocked
from neotoma_core.store.atomic import install, reached, sync_file, sync_folder, temporary_name
from neotoma_core.store.sqlite_files import companion, is_open_elsewhere


def replace_database(target: Path, whole: Path | None) -> None:
    """Put a copy of ``whole`` in the place of ``target``; None removes the target.

    Raises TargetLocked while another program is connected.
    """
    if not target.exists():
        _put(target, whole)
        return
    if is_open_elsewhere(target):
        raise TargetLocked(target)
    try:
        with closing(sqlite3.connect(target, isolation_level=None, timeout=5)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
            _put(target, whole)
    except sqlite3.OperationalError as error:
        raise TargetLocked(target) from error
    except sqlite3.DatabaseError:
        _replace_damaged(target, whole)
    for suffix in ("-wal", "-shm", "-journal"):
        companion(target, suffix).unlink(missing_ok=True)


def _replace_damaged(target: Path, whole: Path | None) -> None:
    """Replace what SQLite cannot open, and so cannot lock or fold a log into.

    Its log goes first: once the new database has the name, an old log must not be there.
    """
    for suffix in ("-wal", "-shm", "-journal"):
        companion(target, suffix).unlink(missing_ok=True)
    sync_folder(target.absolute().parent)
    _put(target, whole)


def _put(target: Path, whole: Path | None) -> None:
    if whole is None:
        target.unlink(missing_ok=True)
        sync_folder(target.absolute().parent)
        return
    temporary = temporary_name(target)
    try:
        shutil.copyfile(whole, temporary)
        reached("temp_written")
        sync_file(temporary)
        reached("temp_synced")
        install(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
