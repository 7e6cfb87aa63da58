"""One whole, self-contained file of a database, also while a server writes to it.

Invariant: the copy is a committed state of one instant, and nothing of the database changes. A
database that somebody has open is copied by SQLite's own online backup; one at rest by the bytes of
its files, since SQLite would create files next to it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from neotoma_core.errors import TargetLocked
from neotoma_core.files.headers import INDEX, companion, is_open_elsewhere
from neotoma_core.files.regular import Progress, no_progress
from neotoma_core.sqlite.copies import copy_database
from neotoma_core.sqlite.online_backup import copy_pages
from neotoma_core.sqlite.opening import damage_of, make_whole
from neotoma_core.sqlite.untrusted import connect, guard_connection, is_locked

_PATIENCE_SECONDS: Final = 5.0


def copy_whole(database: Path, scratch: Path, progress: Progress = no_progress) -> Path:
    """Return one file with all that ``database`` holds, in the folder ``scratch``.

    Raises TargetLocked, BackupUnreadable, BackupDamaged.
    """
    if is_open_elsewhere(database) and companion(database, INDEX).exists():
        whole = scratch / "live.db"
        if _online_backup(database, whole):
            progress(whole.stat().st_size)
            return whole
        whole.unlink(missing_ok=True)
    copies = scratch / "copies"
    copies.mkdir(mode=0o700)
    copy_database(database, copies, progress)
    return make_whole(copies / database.name, database, scratch / "whole")


def _online_backup(database: Path, whole: Path) -> bool:
    """Copy through a connection that only reads; False where the server has just gone.

    ``readonly_shm``: so that the lock table of a server that has just gone is not recreated.
    """
    source = connect(
        f"{database.resolve().as_uri()}?mode=ro&readonly_shm=1",
        uri=True,
        timeout=_PATIENCE_SECONDS,
    )
    whole.touch(mode=0o600, exist_ok=False)
    with closing(source), closing(sqlite3.connect(whole, isolation_level=None)) as copy:
        try:
            guard_connection(source)
            copy_pages(source, copy)
            copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError as error:
            if is_locked(error):
                raise TargetLocked(database) from error
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
                return False
            raise
        except sqlite3.DatabaseError as error:
            raise damage_of(database, str(error)) from error
    return True
