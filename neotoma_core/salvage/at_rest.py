"""A database as it is at one moment, wherever it lies, without leaving a trace next to it.

Invariant: a database with a log is read from a private copy of all its files. One without is read
where it lies, ``immutable``; should it change meanwhile, what was read counts for nothing, and a
private copy is read instead.
"""

import errno
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, TypeVar

from neotoma_core.errors import BackupDamaged, BackupError
from neotoma_core.files.headers import JOURNAL, LOG, companion, companions, read_header
from neotoma_core.sqlite.copies import copy_database
from neotoma_core.unpacking.budgets import free_for_scratch

T = TypeVar("T")
State = Literal["sound", "damaged", "truncated", "unreadable", "empty", "busy"]
Journal = Literal["none", "wal", "journal"]

_NO_ROOM: Final = "there is too little room on the disk for temporary files to read it"


def read_at_rest(path: Path, copies: Path, read: Callable[[Path], T]) -> T:
    """Return what ``read`` makes of a database as it is at one moment.

    It is called with the file itself where that has no log, and again with a copy in the new folder
    ``copies`` should the file change meanwhile. Raises TargetLocked, and what ``read`` raises.
    """
    if journal_of(path)[0] == "none":
        before = measure_at_rest(path)
        found = read(path)
        if measure_at_rest(path) == before:
            return found
    copies.mkdir(exist_ok=True)
    require_scratch(copies, sum(file.stat().st_size for file in (path, *companions(path))))
    copy_database(path, copies)
    return read(copies / path.name)


def require_scratch(folder: Path, size: int) -> None:
    """Raise OSError where a folder for scratch has too little room for so many bytes."""
    if size > free_for_scratch(folder):
        raise OSError(errno.ENOSPC, _NO_ROOM)


def state_of_damaged(copy: Path, error: BackupError) -> State:
    """Return in which way a copy cannot be used."""
    header = read_header(copy)
    if header is not None and copy.stat().st_size < header.pages * header.page_size:
        return "truncated"
    return "damaged" if isinstance(error, BackupDamaged) else "unreadable"


def measure_at_rest(path: Path) -> tuple[int, int, Journal, int]:
    """Return the size of a database, when it was last written, and what lies next to it."""
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns, *journal_of(path)


def journal_of(path: Path) -> tuple[Journal, int]:
    """Return which file next to a database holds part of its rows, and how many bytes of it."""
    kinds: tuple[tuple[str, Journal], ...] = ((LOG, "wal"), (JOURNAL, "journal"))
    for suffix, kind in kinds:
        with suppress(FileNotFoundError):
            return kind, companion(path, suffix).stat().st_size
    return "none", 0
