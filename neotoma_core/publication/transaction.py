"""Writing a staged merge into the target.

Invariant: at every instant the target is the old database or the new one. Order: lock → is the
target still what was read → missing tables and columns → log rows → derived rows → checks → commit.
A target that does not exist is built under a temporary name, which nobody else opens: there the
commit is the rename, after the checks, which two connections share.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from neotoma_core.errors import (
    DiskFull,
    TargetChanged,
    TargetError,
    TargetLocked,
    committing,
    record_commit,
    record_rollback,
)
from neotoma_core.files.atomic import announce, sync_file, temporary_name
from neotoma_core.files.headers import JOURNAL, LOG, companion, follow
from neotoma_core.files.interrupts import hold_interrupts
from neotoma_core.neotoma.versions import SETTLED
from neotoma_core.publication.installing import install_database
from neotoma_core.publication.staging import COPY, TableWrite
from neotoma_core.publication.writing import write_derived, write_log
from neotoma_core.sqlite.arrow import immutable_uri
from neotoma_core.sqlite.copies import FileState, is_still
from neotoma_core.sqlite.migration import migrate, without_triggers
from neotoma_core.sqlite.untrusted import attach, connect, guard_connection, is_locked

STEPS: Final = ("locked", "migrated", "log_written", "derived_written", "verified", "committed")
_PATIENCE_SECONDS: Final = 5.0
_CACHE_KIB: Final = 512 << 10  # pages that are written stay in memory until the commit

Proven = TypeVar("Proven")
Verify = Callable[[sqlite3.Connection, int], Proven]
"""Is given the transaction, and how many rows were inserted, changed and deleted in it.

Of a target that was not there, the connection is given once the transaction is over.

It returns what it proved, or raises, which rolls back.
"""


@dataclass(frozen=True, slots=True)
class Publication:
    """What is written, and where.

    ``as_read``: what the target's files were when it was read, by suffix (``""`` and ``-wal``);
    empty where there was no target. ``writes``: the tables that gain, change or lose rows.
    ``release``: see ``migrate``. ``copy``: a whole copy that some of them take every row of.
    """

    target: Path
    staging: Path
    as_read: Mapping[str, FileState]
    writes: Sequence[TableWrite] = ()
    release: str = SETTLED
    copy: Path | None = None


def publish(publication: Publication, verify: Verify[Proven]) -> Proven:
    """Write everything staged in one transaction, or nothing; return what ``verify`` proved in it.

    Raises what ``verify`` does, TargetLocked, TargetChanged, DiskFull.
    """
    if publication.as_read:
        return _write(publication, verify)
    target = follow(publication.target)
    unborn = temporary_name(target)
    try:
        unborn.unlink(missing_ok=True)
        unborn.touch(0o600, exist_ok=False)
        proven = _write(replace(publication, target=unborn), verify)
        if target.exists():
            raise TargetChanged(target)
        install_database(unborn, target)
    finally:
        for path in (unborn, companion(unborn, JOURNAL)):
            path.unlink(missing_ok=True)
    return proven


@contextmanager
def _settle(target: Path, as_read: Mapping[str, FileState]) -> Iterator[None]:
    """After a failure, let SQLite undo what a rollback could not, as on a disk that is full.

    It would do so when the target is next opened; the target shall not have to wait for that. Where
    a commit failed and the target is what it was then, that is recorded.
    """
    try:
        yield
    except BaseException:
        if companion(target, JOURNAL).exists():
            with suppress(sqlite3.Error), closing(connect(target)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        with suppress(OSError, TargetChanged), ExitStack() as stack:
            if as_read and _is_as_read(_open_files(target, as_read, stack), as_read):
                record_rollback(target)
        raise


def _write(publication: Publication, verify: Verify[Proven]) -> Proven:
    database, writes = publication.target, publication.writes
    staging, copy = publication.staging, publication.copy
    with lock_target(database, staging, publication.as_read, copy) as connection:
        announce("locked")
        migrate(connection, [write.table for write in writes], publication.release)
        announce("migrated")
        with without_triggers(connection), _rules_named(database):
            write_log(connection, writes)
            announce("log_written", connection)
            write_derived(connection)
        if not publication.as_read:
            return _finish_unborn(connection, database, verify)
        return prove_and_commit(connection, database, verify)


def _finish_unborn(connection: sqlite3.Connection, unborn: Path, verify: Verify[Proven]) -> Proven:
    """Let every connection see what was written, and have it verified; return what was proved.

    It is forced to the disk meanwhile. Until it has its name, the file is nobody's.
    """
    changes = connection.total_changes
    announce("derived_written", connection)
    connection.execute("COMMIT")
    with ThreadPoolExecutor(max_workers=1) as pool:
        syncing = pool.submit(sync_file, unborn)
        proven = verify(connection, changes)
        syncing.result()
    announce("verified")
    hold_interrupts()
    announce("committed")
    return proven


def prove_and_commit(
    connection: sqlite3.Connection, database: Path, verify: Verify[Proven]
) -> Proven:
    """Have what was written verified, and commit it; return what was proved."""
    changes = connection.total_changes
    announce("derived_written", connection)
    proven = verify(connection, changes)
    announce("verified")
    _commit(connection, database)
    return proven


def _commit(connection: sqlite3.Connection, database: Path) -> None:
    """Commit; interrupts wait from here on."""
    hold_interrupts()
    committing(database)
    connection.execute("COMMIT")
    record_commit(database)
    announce("committed")


@contextmanager
def lock_target(
    database: Path, staging: Path, as_read: Mapping[str, FileState], copy: Path | None = None
) -> Iterator[sqlite3.Connection]:
    """Hold the write lock of ``database``, with the staging database attached.

    So is ``copy``, a whole copy that rows are taken from.
    """
    with _translate_errors(database), _settle(database, as_read), ExitStack() as stack:
        opened = _open_files(database, as_read, stack)
        connection = connect(database.absolute(), timeout=_PATIENCE_SECONDS, uri=True)
        stack.callback(connection.close)
        guard_connection(connection, reading=False)
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        place = os.fsencode(staging.absolute())
        connection.execute("ATTACH CAST(? AS TEXT) AS staging", (place,))
        # Or the commit would be one of two files, and undone only where a third is, too.
        connection.execute("PRAGMA staging.journal_mode = MEMORY").fetchone()
        if copy is not None:
            attach(connection, COPY, immutable_uri(copy))
        if not as_read:  # no other program opens it, and it is forced to the disk once it is whole
            connection.execute("PRAGMA main.journal_mode = MEMORY").fetchone()
            connection.execute("PRAGMA main.synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not _is_as_read(opened, as_read):
                raise TargetChanged(database)
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _open_files(
    database: Path, as_read: Mapping[str, FileState], stack: ExitStack
) -> dict[str, int]:
    """Open the target's files before SQLite does, and close them after it is done.

    Closing a descriptor drops every POSIX lock this process has on the file.
    """
    opened = {}
    for suffix in as_read and ("", LOG):
        path = companion(database, suffix)
        if suffix in as_read or path.exists():
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except FileNotFoundError as error:
                raise TargetChanged(database) from error
            stack.callback(os.close, descriptor)
            opened[suffix] = descriptor
    return opened


def _is_as_read(opened: Mapping[str, int], as_read: Mapping[str, FileState]) -> bool:
    return opened.keys() == as_read.keys() and all(
        is_still(file, as_read[suffix]) for suffix, file in opened.items()
    )


@contextmanager
def _translate_errors(database: Path) -> Iterator[None]:
    """Turn SQLite's errors about locks, space, permission and damage into ours."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if is_locked(error):
            raise TargetLocked(database) from error
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise DiskFull(database, whose="target") from error
        if code == sqlite3.SQLITE_IOERR:
            raise TargetError(
                database, "the disk failed while it was written to", "check the disk and run again"
            ) from error
        if code == sqlite3.SQLITE_CORRUPT:
            raise TargetError(
                database, "a page was damaged while it was written to", "check the disk"
            ) from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise TargetError(
                database, "no permission to write", "change its permissions and run again"
            ) from error
        raise


@contextmanager
def _rules_named(database: Path) -> Iterator[None]:
    """Turn a rule of the target's own that refuses a row into an error that names it."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        wrong = f"its own rules refuse rows that were to be written ({error})"
        raise TargetError(database, wrong, "remove the rule, or leave the backup out") from error
