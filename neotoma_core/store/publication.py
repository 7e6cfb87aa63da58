"""Writing a staged merge into the target.

Invariant: at every instant the target is the old database or the new one. Order: lock → is the
target still what was read → missing tables and columns → log rows → derived rows → checks → commit.
A target that does not exist is built under a temporary name and renamed once it is committed.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from neotoma_core.ddl import (
    add_column,
    column_list,
    create_database,
    create_index,
    create_table,
    quoted,
)
from neotoma_core.errors import DiskFull, TargetChanged, TargetError, TargetLocked
from neotoma_core.frames import TARGET_ROWID
from neotoma_core.store.atomic import install, reached, sync_file, temporary_name
from neotoma_core.store.copies import fingerprint
from neotoma_core.store.interrupts import hold_interrupts
from neotoma_core.store.sqlite_files import companion
from neotoma_core.store.staging import PLACE
from neotoma_core.tables import BY_NAME, TABLES, Column, Table

STEPS: Final = ("locked", "migrated", "log_written", "derived_written", "verified", "committed")
_PATIENCE_SECONDS: Final = 5.0
_CACHE_KIB: Final = 512 << 10  # pages that are written stay in memory until the commit

Verify = Callable[[sqlite3.Connection], None]


def publish(
    target: Path,
    staging: Path,
    columns: Mapping[str, Sequence[str]],
    as_read: Mapping[str, str],
    verify: Verify,
) -> None:
    """Write everything staged into ``target`` in one transaction, or nothing.

    ``columns``: per merged table, the columns to write. ``as_read``: SHA-256 of the target's files
    when it was read, by suffix (``""`` and ``-wal``); empty where there was no target.
    ``verify`` is called inside the transaction and raises to roll it back.
    Raises TargetLocked, TargetChanged, DiskFull.
    """
    if as_read:
        with _settled(target):
            _write(target, staging, columns, as_read, verify)
        return
    unborn = temporary_name(target)
    try:
        unborn.unlink(missing_ok=True)
        _write(unborn, staging, columns, {}, verify)
        sync_file(unborn)
        if target.exists():
            raise TargetChanged(target)
        install(unborn, target)
    finally:
        for path in (unborn, companion(unborn, "-journal")):
            path.unlink(missing_ok=True)


@contextmanager
def _settled(target: Path) -> Iterator[None]:
    """After a failure, let SQLite undo what a rollback could not, as on a disk that is full.

    It would do so when the target is next opened; the target shall not have to wait for that.
    """
    try:
        yield
    except BaseException:
        if companion(target, "-journal").exists():
            with suppress(sqlite3.Error), closing(sqlite3.connect(target)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        raise


def _write(
    database: Path,
    staging: Path,
    columns: Mapping[str, Sequence[str]],
    as_read: Mapping[str, str],
    verify: Verify,
) -> None:
    with _locked(database, staging, as_read) as connection:
        reached("locked")
        _migrate(connection, columns)
        reached("migrated")
        for table, names in columns.items():
            _insert(connection, table, names)
            _replace(connection, table, names)
        reached("log_written")
        for table in ("entity_snapshots", "relationship_snapshots"):
            _write_derived(connection, BY_NAME[table])
        reached("derived_written")
        verify(connection)
        reached("verified")
        hold_interrupts()
        connection.execute("COMMIT")
        reached("committed")


@contextmanager
def _locked(
    database: Path, staging: Path, as_read: Mapping[str, str]
) -> Iterator[sqlite3.Connection]:
    """Hold the write lock of ``database``, with the staging database attached."""
    with ExitStack() as stack:
        opened = _open_files(database, as_read, stack)
        connection = sqlite3.connect(
            database, isolation_level=None, timeout=_PATIENCE_SECONDS, uri=False
        )
        stack.callback(connection.close)
        with _translated(database):
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("ATTACH ? AS staging", (str(staging),))
            connection.execute("BEGIN IMMEDIATE")
            try:
                if {suffix: fingerprint(file) for suffix, file in opened.items()} != dict(as_read):
                    raise TargetChanged(database)
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def _open_files(database: Path, as_read: Mapping[str, str], stack: ExitStack) -> dict[str, int]:
    """Open the target's files before SQLite does, and close them after it is done.

    Closing a descriptor drops every POSIX lock this process has on the file.
    """
    opened = {}
    for suffix in as_read and ("", "-wal"):
        path = companion(database, suffix)
        if suffix in as_read or path.exists():
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except FileNotFoundError as error:
                raise TargetChanged(database) from error
            stack.callback(os.close, descriptor)
            opened[suffix] = descriptor
    return opened


@contextmanager
def _translated(database: Path) -> Iterator[None]:
    """Turn SQLite's errors about locks, space and permission into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = error.sqlite_errorcode & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise TargetLocked(database) from error
        if code == sqlite3.SQLITE_FULL:
            raise DiskFull(database.parent) from error
        if code == sqlite3.SQLITE_IOERR:
            raise TargetError(
                database, "the disk failed while it was written to", "check the disk and run again"
            ) from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise TargetError(
                database, "no permission to write", "change its permissions and run again"
            ) from error
        raise


def _migrate(connection: sqlite3.Connection, columns: Mapping[str, Sequence[str]]) -> None:
    """Add the tables and columns the target lacks, as Neotoma would when it next opens it."""
    present = {str(name) for (name,) in connection.execute("SELECT name FROM main.sqlite_schema")}
    if not present:
        for statement in create_database():
            connection.execute(statement)
    for table in TABLES:
        if table.name in present:
            _add_missing_columns(connection, table)
        elif present and (table.merged or table.kind == "derived"):
            connection.execute(create_table(table))
            for index in table.indexes:
                connection.execute(create_index(table, index))
    for name, names in columns.items():
        _add_carried_columns(connection, name, names)


def _add_missing_columns(connection: sqlite3.Connection, table: Table) -> None:
    stored = _stored_columns(connection, table.name)
    for column in table.columns:
        if column.name not in stored and (table.merged or table.kind == "derived"):
            connection.execute(add_column(table.name, column))


def _add_carried_columns(connection: sqlite3.Connection, table: str, names: Sequence[str]) -> None:
    """Add columns that only a backup has: a newer Neotoma's, carried as plain text columns."""
    stored = _stored_columns(connection, table)
    for name in names:
        if name not in stored:
            connection.execute(add_column(table, Column(name, "TEXT")))


def _stored_columns(connection: sqlite3.Connection, table: str) -> set[str]:
    listed = connection.execute("SELECT name FROM pragma_table_info(?, 'main')", (table,))
    return {str(name) for (name,) in listed}


def _insert(connection: sqlite3.Connection, table: str, names: Sequence[str]) -> None:
    connection.execute(
        f"INSERT INTO main.{quoted(table)} ({column_list(names)}) "
        f"SELECT {column_list(names)} FROM staging.{quoted('insert_' + table)} ORDER BY {PLACE}"
    )


def _replace(connection: sqlite3.Connection, table: str, names: Sequence[str]) -> None:
    """Put other values into rows that stay where they are; their primary key stays too."""
    changed = [name for name in names if name not in BY_NAME[table].key]
    values = ", ".join(f"{quoted(name)} = staged.{quoted(name)}" for name in changed)
    connection.execute(
        f"UPDATE main.{quoted(table)} AS kept SET {values} "
        f"FROM staging.{quoted('replace_' + table)} AS staged "
        f"WHERE kept.rowid = staged.{TARGET_ROWID}"
    )


def _write_derived(connection: sqlite3.Connection, table: Table) -> None:
    (key,) = table.key
    names = column_list(table.names)
    into, key_of = f"main.{quoted(table.name)}", quoted(key)
    for kind in ("write", "remove"):
        staged = f"staging.{quoted(f'{kind}_{table.name}')}"
        # By row number: to look keys up, SQLite would first sort all that are staged.
        connection.execute(
            f"DELETE FROM {into} WHERE rowid IN (SELECT there.rowid FROM {staged} AS staged "
            f"JOIN {into} AS there ON there.{key_of} = staged.{key_of})"
        )
    connection.execute(
        f"INSERT INTO {into} ({names}) SELECT {names} FROM staging.{quoted('write_' + table.name)}"
    )
