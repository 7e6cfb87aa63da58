"""What a SQLite file says of itself without being opened: its header, its companions, its locks."""

import fcntl
import os
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAGIC: Final = b"SQLite format 3\x00"
FRACTIONS: Final = b"\x40\x20\x20"
"""What is in every header: how much of a page a row may take."""
_FRACTIONS_AT: Final = slice(21, 24)
_LEAST_PAGE, _MOST_PAGE = 512, 65536
HEADER_BYTES: Final = 100
LOG: Final = "-wal"
JOURNAL: Final = "-journal"
INDEX: Final = "-shm"
"""What is added to a database's name: of its write-ahead log, its rollback journal, and the index
of the log, which is made from it."""
WITH_ROWS: Final = (LOG, JOURNAL)
COMPANIONS: Final = (*WITH_ROWS, INDEX)
_WAL_MODE: Final = 2
# The byte ranges SQLite locks (file format, "Locking"): in the database, and in its -shm file.
_DATABASE_LOCKS: Final = (0x40000000, 512)
_SHARED_MEMORY_LOCKS: Final = (120, 16)
_FLOCK: Final = "qqihh" if sys.platform == "darwin" else "hhqqi"


@dataclass(frozen=True, slots=True)
class Header:
    """The facts of the first hundred bytes. ``pages`` is 0 where the file does not say."""

    page_size: int
    pages: int
    wal_mode: bool


def read_header(database: Path) -> Header | None:
    """Return the header of ``database``; None where the file is not a SQLite database.

    Not while this process holds a lock on it: closing the file drops that lock; see ``header_of``.
    """
    with database.open("rb") as file:
        return _parse(file.read(HEADER_BYTES))


def header_of(descriptor: int) -> Header | None:
    """Return the header of a database that is open; the descriptor stays open."""
    return _parse(os.pread(descriptor, HEADER_BYTES, 0))


def may_be_sqlite(head: bytes) -> bool:
    """Return whether a file starts as a SQLite database does, but for its very first bytes."""
    if len(head) < HEADER_BYTES:
        return False
    (size,) = struct.unpack_from(">H", head, 16)
    return head[_FRACTIONS_AT] == FRACTIONS and (size == 1 or is_page_size(size))


def is_page_size(size: int) -> bool:
    """Return whether SQLite may have used pages of ``size`` bytes."""
    return _LEAST_PAGE <= size <= _MOST_PAGE and size & (size - 1) == 0


def _parse(raw: bytes) -> Header | None:
    if len(raw) < HEADER_BYTES or not raw.startswith(MAGIC):
        return None
    (page_size,) = struct.unpack_from(">H", raw, 16)
    (pages,) = struct.unpack_from(">I", raw, 28)
    return Header(65536 if page_size == 1 else page_size, pages, raw[19] == _WAL_MODE)


def follow(database: Path) -> Path:
    """Return the file that a link names, or the path itself: SQLite follows links, too."""
    return database.resolve() if database.is_symlink() else database


def companion(database: Path, suffix: str) -> Path:
    """Return the path of a companion file; ``suffix``: one of ``COMPANIONS``.

    It is next to the file itself, also where ``database`` is a link to it.
    """
    place = follow(database)
    return place.with_name(place.name + suffix)


def database_of(log: Path) -> Path:
    """Return the database that a log or a journal is called after."""
    suffix = next(suffix for suffix in WITH_ROWS if log.name.endswith(suffix))
    return log.with_name(log.name.removesuffix(suffix))


def companions(database: Path) -> tuple[Path, ...]:
    """Return the companion files that are there, what holds data first."""
    paths = (companion(database, suffix) for suffix in COMPANIONS)
    return tuple(path for path in paths if path.exists())


def is_open_elsewhere(database: Path) -> bool:
    """Return whether another process holds a lock on ``database`` or is connected to its log.

    Only asks; takes no lock. An idle connection to a database without a write-ahead log holds none.
    """
    ranges = ((database, _DATABASE_LOCKS), (companion(database, INDEX), _SHARED_MEMORY_LOCKS))
    return any(_is_locked(path, *span) for path, span in ranges if path.exists())


def _is_locked(path: Path, start: int, length: int) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, _flock(start, length))
    finally:
        os.close(descriptor)
    kind_at = 3 if sys.platform == "darwin" else 0
    return bool(struct.unpack(_FLOCK, answer[: struct.calcsize(_FLOCK)])[kind_at] != fcntl.F_UNLCK)


def _flock(start: int, length: int) -> bytes:
    if sys.platform == "darwin":
        return struct.pack(_FLOCK, start, length, 0, fcntl.F_WRLCK, os.SEEK_SET)
    return struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
