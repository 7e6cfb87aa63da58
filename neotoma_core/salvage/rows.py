"""Getting rows out of a damaged database, into a new one next to it.

Invariant: the damaged file is a private copy and is only read; what comes out of it is text, and
of that text nothing runs but creating plain tables and inserting rows.
"""

import mmap
import os
import re
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from neotoma_core.neotoma.content_ids import is_proven
from neotoma_core.neotoma.ddl import column_list, create_table, quote
from neotoma_core.neotoma.tables import BY_NAME, MERGED, Table
from neotoma_core.salvage.pages import Pages, StoredRow, read_statements, tables_of
from neotoma_core.sqlite.untrusted import connect, guard_connection

PROGRAM: Final = "sqlite3"
INSTALL: Final = (
    "install SQLite's own program, sqlite3, to salvage more "
    "(apt-get install sqlite3, dnf install sqlite, or brew install sqlite)"
)
_NO_RECOVERY: Final = (
    "the sqlite3 program here was built without .recover; one from sqlite.org may salvage more"
)
_BY_SQLITE: Final = "sqlite3 .recover"
_BY_PAGE: Final = "page by page"
_SECONDS: Final = 120.0  # and more for a large one; less than whoever salvages may take
_BYTES_PER_SECOND: Final = 4_000_000
_GROWTH: Final = 40  # times the size of the database: text is longer than what it was
_LEAST_BYTES: Final = 64 << 20
_ENTITY: Final = re.compile(r"ent_[0-9a-f]{24}")
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
_TOLD_BY_ROWS: Final = ("observations", "entities", "sources")
_NEEDED: Final = {"observations": ("id", "entity_id", "fields")}
_FUNCTIONS: Final = frozenset({"unistr", "char", "replace"})


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was saved: a new database, by which means, and what the user should know of it."""

    database: Path
    means: str
    advice: str = ""


def salvage(damaged: Path, folder: Path) -> Salvaged | None:
    """Save what can be read of a private copy into a new database in ``folder``.

    None where nothing could be read, as of an empty file. SQLite's own recovery, and reading the
    pages one by one: the one that saves more rows counts. Each knows pages that the other gives up.
    """
    if not damaged.stat().st_size:
        return None
    program = shutil.which(PROGRAM)
    advice = INSTALL if program is None else _NO_RECOVERY
    saved = []
    if program is not None:
        target = folder / "recovered.db"
        saved.append((_run_recovery(program, damaged, target), Salvaged(target, _BY_SQLITE)))
        advice = "" if saved[0][0] else advice
    target = folder / "salvaged.db"
    saved.append((_read_pages(damaged, target), Salvaged(target, _BY_PAGE, advice)))
    best = max(saved, key=lambda one: one[0])
    for rows, one in saved:
        if not rows or one is not best[1]:
            one.database.unlink(missing_ok=True)
    return best[1] if best[0] else None


def _run_recovery(program: str, damaged: Path, target: Path) -> int:
    """Load what SQLite's recovery prints; rows of unused pages, once deleted, are left out.

    Returns how many rows of merged tables there are then.
    """
    most = max(_LEAST_BYTES, _GROWTH * damaged.stat().st_size)
    rows = 0
    with closing(_loading(target)) as connection:
        for statement in _print_statements(program, damaged, most):
            with suppress(sqlite3.Error):  # a table or row that is refused is not salvaged
                connection.execute(statement)
        connection.set_authorizer(None)
        if connection.in_transaction:
            connection.commit()
        for table in MERGED:
            # In brackets, since what is in quotes may also be a text.
            needed = ", ".join(f"count([{name}])" for name in _NEEDED.get(table.name, table.key))
            with suppress(sqlite3.Error):  # a table that is not there, or lacks what it needs
                count, *_ = connection.execute(f"SELECT {needed} FROM {table.name}").fetchone()
                rows += count
    return rows


def _print_statements(program: str, damaged: Path, most: int) -> Iterator[str]:
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
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe, as asked for
        seconds = _SECONDS + damaged.stat().st_size / _BYTES_PER_SECOND
        late = threading.Timer(seconds, process.kill)
        late.start()
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
            late.cancel()
            process.kill()


def _loading(target: Path) -> sqlite3.Connection:
    connection = guard_connection(connect(target))
    connection.create_function("unistr", 1, _unistr, deterministic=True)
    for pragma in ("journal_mode = OFF", "synchronous = OFF"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.set_authorizer(_authorize)
    return connection


def _authorize(
    action: int, first: str | None, second: str | None, _database: str | None, _by: str | None
) -> int:
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_OK if second in _FUNCTIONS else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_CREATE_INDEX:  # those a key of a table makes by itself
        own = str(first).startswith("sqlite_autoindex_")
        return sqlite3.SQLITE_OK if own else sqlite3.SQLITE_DENY
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


def _read_pages(damaged: Path, target: Path) -> int:
    """Copy the rows of the merged tables that are on undamaged pages; return how many."""
    with damaged.open("rb") as file, closing(connect(target)) as new:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        pages = Pages.of(mapped)
        if pages is None:
            return 0
        new.execute("PRAGMA synchronous = OFF")
        new.execute("BEGIN")
        saved = _copy_tables(pages, new)
        new.execute("COMMIT")
    return saved


def _copy_tables(pages: Pages, new: sqlite3.Connection) -> int:
    columns = _declare_columns(pages)
    saved = 0
    for name, names in columns.items():
        new.execute(create_table(_without_rules(BY_NAME[name], names)))
    for name, root in tables_of(pages).items():
        rows = pages.tree(root)
        if name in columns:
            saved += _insert(new, name, columns[name], rows)
        else:
            for _ in rows:  # only so that its pages are not taken for lost ones
                pass
    lost = [row for page in pages.orphans() for row in pages.leaf(page)]
    for name, names in columns.items():
        own = [row for row in lost if _is_of(name, names, row)]
        saved += _insert(new, name, names, own)
    return saved


def _declare_columns(pages: Pages) -> dict[str, tuple[str, ...]]:
    """Return the columns of every merged table, in the order in which its rows have them.

    Where the statement of one whose rows can be proven is damaged, they are those of the newest
    Neotoma: a row that has others proves nothing.
    """
    columns = {name: BY_NAME[name].names for name in _TOLD_BY_ROWS}
    for name, statement in read_statements(pages).items():
        if name in BY_NAME and BY_NAME[name].merged:
            columns[name] = _respell(name, _columns_of(statement)) or columns.get(name, ())
    return {name: names for name, names in columns.items() if names}


def _respell(table: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns, those with one wrong letter as Neotoma spells them."""
    missing = [name for name in BY_NAME[table].names if name not in columns]
    return tuple(
        next((name for name in missing if _differs_by_one(name, column)), column)
        for column in columns
    )


def _differs_by_one(name: str, other: str) -> bool:
    return len(name) == len(other) and sum(map(str.__ne__, name, other)) == 1


def _columns_of(statement: str) -> tuple[str, ...]:
    """Return the columns of the table that a statement makes, whatever it calls that; or none."""
    with closing(guard_connection(connect(":memory:"))) as scratch:
        scratch.set_authorizer(_authorize)
        with suppress(sqlite3.Error, ValueError):  # a NUL in it, or a lone surrogate
            scratch.execute(statement)
        scratch.set_authorizer(None)
        listed = scratch.execute(
            "SELECT c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c "
            "WHERE t.type = 'table'"
        ).fetchall()
    return tuple(str(column) for (column,) in listed)


def _insert(
    new: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: Iterable[StoredRow]
) -> int:
    """Insert rows as far as their columns are Neotoma's; return how many."""
    known = set(BY_NAME[table].names)
    saved = 0
    for row in rows:
        cells = {
            name: cell for name, cell in zip(columns, row.cells, strict=False) if name in known
        }
        if len(row.cells) > len(columns) or not any(cells.values()):
            continue
        marks = ", ".join("?" * len(cells))
        insert = f"INSERT INTO {quote(table)} ({column_list(cells)}) VALUES ({marks})"
        new.execute(insert, tuple(cells.values()))
        saved += 1
    return saved


def _is_of(table: str, columns: tuple[str, ...], row: StoredRow) -> bool:
    """Return whether a row on a page that no table leads to is one of this table's, as its id says.

    Of other tables than those it proves nothing, so their lost pages stay lost.
    """
    if len(row.cells) > len(columns):
        return False
    cells = dict(zip(columns, row.cells, strict=False))
    if table == "entities":
        return bool(_ENTITY.fullmatch(str(cells.get("id")))) and isinstance(
            cells.get("canonical_name"), str
        )
    return is_proven(table, cells)


def _without_rules(table: Table, names: tuple[str, ...]) -> Table:
    """Return the facts of a table that takes any row: whether rows are fit is judged later."""
    known = [table.column(name) for name in names if name in table.names]
    columns = tuple(replace(column, required=False) for column in known)
    return replace(table, columns=columns, key=(), unique=(), cascades=(), indexes=())
