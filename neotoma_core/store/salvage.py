"""Getting rows out of a damaged database, into a new one beside it.

Invariant: the damaged file is a private copy and is only read; what comes out of it is text, and
of that text nothing runs but creating plain tables and inserting rows.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from neotoma_core.ddl import column_list, create_table, quoted
from neotoma_core.store.guarding import guarded
from neotoma_core.store.row_stream import with_columns
from neotoma_core.store.sqlite_files import read_header
from neotoma_core.tables import MERGED, Table

PROGRAM: Final = "sqlite3"
INSTALL: Final = (
    "install SQLite's own program, sqlite3, to salvage more "
    "(apt-get install sqlite3, dnf install sqlite, or brew install sqlite)"
)
_NO_RECOVERY: Final = (
    "the sqlite3 program here was built without .recover; one from sqlite.org may salvage more"
)
_SECONDS: Final = 600
_GROWTH: Final = 40  # times the size of the database: text is longer than what it was
_LEAST_BYTES: Final = 64 << 20
_LEAST_ROW: Final = 64  # bytes: an id alone takes 36
_MOST_TRIES: Final = 50_000
_INSERTED_AT_ONCE: Final = 500
_ALLOWED: Final = frozenset(
    {
        sqlite3.SQLITE_INSERT,
        sqlite3.SQLITE_CREATE_TABLE,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_UPDATE,  # of SQLite's own list of tables, which CREATE TABLE writes
        sqlite3.SQLITE_REINDEX,
    }
)
_FUNCTIONS: Final = frozenset({"unistr", "char", "replace"})


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was saved: a new database, by which means, and what the user should know of it."""

    database: Path
    means: str
    advice: str = ""


def salvage(damaged: Path, folder: Path) -> Salvaged | None:
    """Save what can be read of a private copy into a new database in ``folder``.

    None where nothing could be read. SQLite's own recovery comes first; where the program is not
    there or cannot do it, tables are read around what is damaged in them.
    """
    advice = INSTALL
    program = shutil.which(PROGRAM)
    if program is not None:
        target = folder / "recovered.db"
        if _recovered(program, damaged, target):
            return Salvaged(target, "sqlite3 .recover")
        target.unlink(missing_ok=True)
        advice = _NO_RECOVERY
    target = folder / "read-around.db"
    if _read_around(damaged, target):
        return Salvaged(target, "read around the damage", advice)
    target.unlink(missing_ok=True)
    return None


def _recovered(program: str, damaged: Path, target: Path) -> bool:
    """Load what SQLite's recovery prints; rows of unused pages, once deleted, are left out."""
    most = max(_LEAST_BYTES, _GROWTH * damaged.stat().st_size)
    rows = 0
    with closing(_loading(target)) as connection:
        for statement in _printed(program, damaged, most):
            with suppress(sqlite3.Error):  # a table or row that is refused is not salvaged
                connection.execute(statement)
                rows += statement.startswith("INSERT")
        connection.set_authorizer(None)
        connection.commit()
    return rows > 0


def _printed(program: str, damaged: Path, most: int) -> Iterator[str]:
    """Yield the statements the recovery prints, as long as they are not too many."""
    command = [program, "-batch", "-init", os.devnull, str(damaged), ".recover --ignore-freelist"]
    with subprocess.Popen(  # noqa: S603 - a program found by name, on a private copy
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        preexec_fn=_limit_time,  # noqa: PLW1509 - sets an alarm, which takes no lock
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe, as asked for
        try:
            statement, size = "", 0
            for line in process.stdout:
                size += len(line)
                if size > most:
                    return
                statement += line
                if line.endswith(";\n") and sqlite3.complete_statement(statement):
                    yield statement
                    statement = ""
        finally:
            process.kill()


def _limit_time() -> None:
    signal.alarm(_SECONDS)


def _loading(target: Path) -> sqlite3.Connection:
    connection = guarded(sqlite3.connect(target, isolation_level=None))
    connection.create_function("unistr", 1, _unistr, deterministic=True)
    for pragma in ("journal_mode = OFF", "synchronous = OFF"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.set_authorizer(_authorized)
    return connection


def _authorized(
    action: int, first: str | None, second: str | None, _database: str | None, _by: str | None
) -> int:
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_OK if second in _FUNCTIONS else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_UPDATE and first not in ("sqlite_master", "sqlite_schema"):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _unistr(text: str) -> str:
    """Return a text with its escapes replaced, as newer SQLite's function of this name does."""
    parts = text.split("\\")
    out, place = [parts[0]], 1
    while place < len(parts):
        part = parts[place]
        place += 1
        if not part:  # two backslashes are one
            out.append("\\" + (parts[place] if place < len(parts) else ""))
            place += 1
            continue
        digits = {"u": 4, "U": 8, "+": 6}.get(part[0])
        start = 1 if digits else 0
        end = start + (digits or 4)
        out.append(chr(int(part[start:end], 16)) + part[end:])
    return "".join(out)


def _read_around(damaged: Path, target: Path) -> bool:
    """Copy the merged tables, leaving out what lies on damaged pages."""
    saved = 0
    with _opened(damaged) as source, closing(sqlite3.connect(target, isolation_level=None)) as new:
        new.execute("PRAGMA synchronous = OFF")
        new.execute("BEGIN")
        for table in MERGED:
            names = _columns(source, table)
            if names:
                new.execute(create_table(_without_rules(table, names)))
                saved += _copy_table(source, new, table, names)
        new.execute("COMMIT")
    return saved > 0


@contextmanager
def _opened(damaged: Path) -> Iterator[sqlite3.Connection]:
    """Open a damaged copy; what a truncated one lacks is read as pages of zeros, which fail."""
    header = read_header(damaged)
    if header is not None and damaged.stat().st_size < header.pages * header.page_size:
        os.truncate(damaged, header.pages * header.page_size)
    uri = f"{damaged.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        guarded(connection)
        yield connection


def _columns(source: sqlite3.Connection, table: Table) -> tuple[str, ...]:
    try:
        found = source.execute("SELECT name FROM pragma_table_info(?)", (table.name,)).fetchall()
    except sqlite3.DatabaseError:
        return ()
    there = {str(name) for (name,) in found}
    return tuple(name for name in table.names if name in there)


def _without_rules(table: Table, names: tuple[str, ...]) -> Table:
    """Return the facts of a table that takes any row: whether rows are fit is judged later."""
    columns = tuple(
        replace(column, required=False) for column in with_columns(table, names).columns
    )
    return replace(table, columns=columns, key=(), unique=(), cascades=(), indexes=())


def _copy_table(
    source: sqlite3.Connection, new: sqlite3.Connection, table: Table, names: tuple[str, ...]
) -> int:
    """Copy the rows that can be read; a range of rows that cannot is halved until it can."""
    columns = f"rowid, {column_list(names)}"
    query = f"SELECT {columns} FROM {quoted(table.name)} NOT INDEXED WHERE rowid BETWEEN ? AND ?"
    marks = ", ".join("?" * (len(names) + 1))
    insert = f"INSERT INTO {quoted(table.name)} ({columns}) VALUES ({marks})"
    saved, tries = 0, 0
    waiting = [(1, _highest(source, table))]
    while waiting and tries < _MOST_TRIES:
        first, last = waiting.pop()
        tries += 1
        read = 0
        try:
            cursor = source.execute(query, (first, last))
            while rows := cursor.fetchmany(_INSERTED_AT_ONCE):
                new.executemany(insert, rows)
                read += len(rows)
                first = rows[-1][0] + 1
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            if first < last:
                middle = (first + last) // 2
                waiting += [(middle + 1, last), (first, middle)]
        saved += read
    return saved


def _highest(source: sqlite3.Connection, table: Table) -> int:
    """Return a row number no row is beyond, as far as can be told."""
    for order in ("", *(f"INDEXED BY {quoted(index.name)}" for index in table.indexes)):
        with suppress(sqlite3.DatabaseError):
            query = f"SELECT max(rowid) FROM {quoted(table.name)} {order}"
            (highest,) = source.execute(query).fetchone()
            return int(highest or 0)
    (pages,) = source.execute("PRAGMA page_count").fetchone()
    (size,) = source.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size) // _LEAST_ROW
