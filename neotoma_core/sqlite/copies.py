"""Byte-exact copies of a database's files, taken without writing to it.

Invariant: the copies of one database belong to one instant, also while a server writes to it.
A database is itself, its write-ahead log (``-wal``) and its rollback journal (``-journal``).
``-shm`` is SQLite's lock table; it is copied as evidence and never read back.
"""

import hashlib
import itertools
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.errors import TargetLocked
from neotoma_core.files.atomic import announce
from neotoma_core.files.failures import naming
from neotoma_core.files.headers import (
    JOURNAL,
    LOG,
    companion,
    companions,
    follow,
    header_of,
    is_open_elsewhere,
)
from neotoma_core.files.regular import CHUNK, Progress, descriptor_of, no_progress
from neotoma_core.sqlite.untrusted import connect, is_locked

STEPS: Final = ("files_opened",)
_START_BYTES: Final = 100  # SQLite's header; each commit without a log changes a counter in it
_TRIES: Final = 20
_PATIENCE_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.000_2

_Opened = tuple[tuple[Path, int], ...]


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """One file copied: where from, under which name, and what it was. Sizes in bytes.

    ``start``: its first bytes.
    """

    original: Path
    name: str
    size: int
    mtime_ns: int
    sha256: str
    start: bytes = b""


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file was when it was read. ``mtime_ns``: None where that says nothing."""

    size: int
    mtime_ns: int | None
    start: bytes
    sha256: str


def copy_database(
    database: Path, folder: Path, progress: Progress = no_progress
) -> tuple[CopiedFile, ...]:
    """Copy every file of ``database`` into ``folder`` as of one instant.

    Raises TargetLocked where another program keeps the database to itself.
    """
    return _copy_files(database, folder, lambda name, path, file: _copy(path, file, name, progress))


def copy_left_behind(database: Path, folder: Path) -> tuple[CopiedFile, ...]:
    """Copy what a database that is gone left: its log, its journal."""
    with ExitStack() as stack:
        files = [(path, stack.enter_context(path.open("rb"))) for path in companions(database)]
        return tuple(_copy(p, file.fileno(), folder / p.name, no_progress) for p, file in files)


def copy_privately(database: Path, folder: Path) -> Path:
    """Copy every file of ``database`` into a scratch folder as of one instant; return the copy.

    Neither hashed nor forced to the disk: it is evidence of nothing. Raises TargetLocked.
    """
    _copy_files(database, folder, lambda name, path, file: _copy_bytes(path, file, name))
    return folder / database.name


def _copy_files(
    named: Path, folder: Path, copy: Callable[[Path, Path, int], CopiedFile]
) -> tuple[CopiedFile, ...]:
    """Copy the files of a database; those of one that a link names are called as the link is."""
    database = follow(named)
    for _ in range(_TRIES):
        with naming(database), ExitStack() as stack:
            opened = _open_all(database, stack)
            if opened is None:
                continue
            announce("files_opened")
            held = stack.enter_context(_hold_still(database, opened[0][1]))
            if held:
                opened = _without_idle_journal(database, opened)
            starts = _starts(opened)
            copied = tuple(
                copy(folder / f"{named.name}{path.name.removeprefix(database.name)}", path, file)
                for path, file in opened
            )
            if held or (all(map(is_unchanged, copied)) and _starts(opened) == starts):
                return copied
        for file in copied:
            (folder / file.name).unlink()
    raise TargetLocked(database)


def fingerprint(descriptor: int) -> str:
    """Return the SHA-256 of an open file, from its start; the descriptor stays open."""
    digest = hashlib.sha256()
    for block in _blocks(descriptor):
        digest.update(block)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in the vault."""
    with path.open("rb") as file:
        return fingerprint(file.fileno())


def read_file_state(path: Path) -> FileState:
    """Return the state of a file in the vault, for another that should have the same bytes."""
    with path.open("rb") as file:
        start = file.read(_START_BYTES)
    return FileState(path.stat().st_size, None, start, sha256_of(path))


def is_still(descriptor: int, state: FileState) -> bool:
    """Return whether an open file is what it was when it was read.

    A file that was not written to is not read again: under a lock that would keep others waiting.
    """
    facts = os.fstat(descriptor)
    if facts.st_size != state.size:
        return False
    start = os.pread(descriptor, _START_BYTES, 0)
    if (facts.st_mtime_ns, start) == (state.mtime_ns, state.start):
        return True
    return fingerprint(descriptor) == state.sha256


def is_unchanged(file: CopiedFile) -> bool:
    """Return whether the original still has the size and mtime it was copied with."""
    try:
        now = file.original.stat()
    except FileNotFoundError:
        return False
    return (now.st_size, now.st_mtime_ns) == (file.size, file.mtime_ns)


def _starts(opened: _Opened) -> list[bytes]:
    """Return what files start with: a commit changes it, also within one tick of the clock."""
    return [os.pread(descriptor, _START_BYTES, 0) for _, descriptor in opened]


def _open_all(database: Path, stack: ExitStack) -> _Opened | None:
    """Open all files before any lock is taken, to be closed after it is gone.

    POSIX locks belong to the process: closing any descriptor of a file drops every lock on it,
    those of SQLite's own connection included. None where a companion went meanwhile.
    """
    opened = []
    for path in (database, *companions(database)):
        try:
            descriptor = descriptor_of(path)
        except FileNotFoundError:
            if path == database:
                raise
            return None
        stack.callback(os.close, descriptor)
        opened.append((path, descriptor))
    return tuple(opened)


def _without_idle_journal(database: Path, opened: _Opened) -> _Opened:
    """Leave out a rollback journal that has nothing to roll back.

    Whoever may read a database without a write-ahead log knows that no journal is hot. One that is
    there belongs to a transaction that has not written yet, or that ended after it was opened: to
    roll that back would damage the copy.
    """
    header = header_of(opened[0][1])
    if header is None or header.wal_mode:
        return opened
    journal = companion(database, JOURNAL)
    return tuple((path, descriptor) for path, descriptor in opened if path != journal)


@contextmanager
def _hold_still(database: Path, descriptor: int) -> Iterator[bool]:
    """Hold a read transaction; yield whether one was needed and taken.

    It stops a checkpoint from moving pages out of the log while they are copied, and without a log
    every commit. A log at rest is not opened, since SQLite would create files next to it; there the
    caller compares times instead. Nothing is read but its schema, which runs nothing in it.
    ``descriptor``: of the database, open until the lock is gone.
    """
    header = header_of(descriptor)
    logged = header is not None and (header.wal_mode or companion(database, LOG).exists())
    if header is None or (logged and not is_open_elsewhere(database)):
        yield False
        return
    connection = connect(
        f"{database.resolve().as_uri()}?mode=ro&readonly_shm=1", uri=True, timeout=0
    )
    try:
        yield _begin_reading(connection, database)
    finally:
        connection.close()


def _begin_reading(connection: sqlite3.Connection, database: Path) -> bool:
    """Begin one; return whether that could be.

    With a writer that never pauses, the lock is free for moments only, so it is asked for often.
    """
    connection.execute("BEGIN")
    patient_until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                return False
            if time.monotonic() > patient_until:
                raise TargetLocked(database) from error
            time.sleep(_PAUSE_SECONDS)
        except sqlite3.DatabaseError:
            return False  # damaged: evidence all the same, judged when it is read
        else:
            return True


def _copy(path: Path, descriptor: int, to: Path, progress: Progress) -> CopiedFile:
    digest = hashlib.sha256()
    facts = os.fstat(descriptor)
    size = 0
    start = os.pread(descriptor, _START_BYTES, 0)
    copy = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    # One block is hashed while the next is read and the last is written.
    with naming(to), os.fdopen(copy, "wb") as file, ThreadPoolExecutor(max_workers=1) as hashing:
        hashed = hashing.submit(digest.update, b"")
        for block in _blocks(descriptor, path):
            hashed.result()
            hashed = hashing.submit(digest.update, block)
            file.write(block)
            size += len(block)
            progress(len(block))
        hashed.result()
        file.flush()
        os.fsync(file.fileno())
    return CopiedFile(path, to.name, size, facts.st_mtime_ns, digest.hexdigest(), start)


def _copy_bytes(path: Path, descriptor: int, to: Path) -> CopiedFile:
    facts = os.fstat(descriptor)
    copy = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    size = 0
    with naming(to), os.fdopen(copy, "wb", buffering=0) as file:
        for block in _blocks(descriptor, path):
            size += file.write(block)
    return CopiedFile(path, to.name, size, facts.st_mtime_ns, "")


def _blocks(descriptor: int, path: Path | None = None) -> Iterator[memoryview]:
    """Yield a file from its start, block by block; each may be used until the next but one.

    No more than it had at the start: a file may grow as fast as it is read.
    """
    # Two buffers for the whole file: memory that is new to the process costs more than the copy.
    buffers = itertools.cycle([memoryview(bytearray(CHUNK)) for _ in range(2)])
    offset, end = 0, os.fstat(descriptor).st_size
    while offset < end:
        buffer = next(buffers)[: end - offset]
        with naming(path):
            size = os.preadv(descriptor, [buffer], offset)
        if not size:
            return
        yield buffer[:size]
        offset += size
