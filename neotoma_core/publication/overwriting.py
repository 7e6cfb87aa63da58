"""Putting a database inside a file that stays, where no other can be renamed into its place.

Invariant: it is done in one transaction of SQLite's, whose journal brings the old content back
after a crash. A file that SQLite cannot open is emptied first: killed then, it is an empty file, or
one that its journal empties again; evidence of it is kept, and to do it again completes it.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from neotoma_core.errors import TargetError, TargetLocked, committing, record_commit
from neotoma_core.files.atomic import announce
from neotoma_core.files.headers import companions
from neotoma_core.publication.installing import remove_companions
from neotoma_core.sqlite.online_backup import copy_pages
from neotoma_core.sqlite.untrusted import connect, is_locked

STEPS: Final = ("emptied", "overwritten")
_UNREADABLE: Final = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_BLOCK: Final = 1 << 20
_COUNTERS: Final = (slice(18, 20), slice(24, 28), slice(40, 44), slice(92, 100))  # SQLite sets them


def copy_within(whole: Path, target: Path) -> None:
    """Give ``target`` the content of ``whole``, a database without a log, and prove that it has it.

    Raises TargetLocked, TargetError.
    """
    try:
        _back_up(whole, target)
    except sqlite3.DatabaseError as error:
        if is_locked(error):
            raise TargetLocked(target) from error
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _UNREADABLE:
            wrong = "it can neither be renamed over nor be written to"
            raise TargetError(
                target, wrong, "make its folder writable and run this again"
            ) from error
        remove_companions(target)
        _empty(target)
        _back_up(whole, target)
    announce("overwritten")
    if companions(target) or not _is_same(whole, target):
        raise TargetError(
            target, "it does not hold what was written to it", "check its disk and run this again"
        )


def overwrite(ruin: Path, target: Path) -> None:
    """Give ``target`` the bytes of a file that is not a sound database."""
    remove_companions(target)
    with ruin.open("rb") as source, target.open("r+b") as file:
        file.truncate(0)
        record_commit(target)
        shutil.copyfileobj(source, file, _BLOCK)
        file.flush()
        os.fsync(file.fileno())


def _back_up(whole: Path, target: Path) -> None:
    uri = f"{whole.resolve().as_uri()}?mode=ro&immutable=1"
    with (
        closing(connect(uri, uri=True)) as source,
        closing(connect(target)) as copy,
    ):
        (mode,) = copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        if mode == "wal":  # somebody reads it, and the log cannot be folded in
            raise TargetLocked(target)
        copy.execute("PRAGMA synchronous = EXTRA")
        committing(target)
        copy_pages(source, copy)
        record_commit(target)


def _empty(target: Path) -> None:
    with target.open("r+b") as file:
        file.truncate(0)
        record_commit(target)
        os.fsync(file.fileno())
    announce("emptied")


def _is_same(whole: Path, target: Path) -> bool:
    if whole.stat().st_size != target.stat().st_size:
        return False
    with whole.open("rb") as one, target.open("rb") as other:
        first, second = bytearray(one.read(_BLOCK)), bytearray(other.read(_BLOCK))
        for place in _COUNTERS:
            first[place] = second[place]
        same = first == second
        while same and (block := one.read(_BLOCK)):
            same = block == other.read(_BLOCK)
    return same
