"""Opening a copied database for reading, and saying what is wrong with it.

Invariant: what is opened here is a copy in the vault, never an input. A copy without a log is read
``immutable``; one with a log is first made whole in a scratch folder, since ``immutable`` would
show the database without what its log holds.
"""

import shutil
import sqlite3
from pathlib import Path
from typing import Final

from neotoma_core.errors import BackupDamaged, BackupUnreadable
from neotoma_core.files.headers import WITH_ROWS, companion, read_header
from neotoma_core.sqlite.damage import NO_DAMAGE, SHOWN_PROBLEMS, CheckName, integrity_lines
from neotoma_core.sqlite.untrusted import connect, guard_connection

_COMPRESSED: Final = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zX": "xz",
    b"PK": "zip",
}
_MAPPED_BYTES: Final = 1 << 30  # of the file; they count as memory of the process
_CACHE_KIB: Final = 256 << 10  # for the pages beyond


def make_whole(copy: Path, original: Path, scratch: Path) -> Path:
    """Return one file that holds all of a copied database: the copy, or one with its log applied.

    ``original`` is only named in messages. Raises BackupUnreadable or BackupDamaged.
    """
    _require_sqlite(copy, original)
    journals = [path for path in (companion(copy, s) for s in WITH_ROWS) if path.exists()]
    if not journals:
        _require_every_page(copy, original)
        return copy
    scratch.mkdir(parents=True, exist_ok=True)
    whole = scratch / "whole.db"
    shutil.copyfile(copy, whole)
    for path in journals:
        shutil.copyfile(path, whole.with_name(whole.name + path.name.removeprefix(copy.name)))
    try:
        connection = connect(whole)
        try:
            guard_connection(connection)
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise damage_of(original, str(error)) from error
    _require_every_page(whole, original)
    return whole


def connect_read_only(database: Path) -> sqlite3.Connection:
    """Open a whole copy for reading; nothing in it is run."""
    uri = f"{database.resolve().as_uri()}?mode=ro&immutable=1"
    return guard_connection(connect(uri, uri=True))


def check_pages(connection: sqlite3.Connection, original: Path) -> None:
    """Raise BackupDamaged where a page of a whole copy is damaged.

    For what is read by its tables alone: that an index of it lacks a row makes no difference.
    """
    _require_sound(connection, original, "quick_check")


def check_integrity(connection: sqlite3.Connection, original: Path) -> None:
    """Raise BackupDamaged where a whole copy is damaged, its indexes included."""
    prepare_check(connection)
    _require_sound(connection, original, "integrity_check")


def prepare_check(connection: sqlite3.Connection) -> None:
    """Set a connection up for the integrity check of a large database."""
    # The check looks up every row in every index. Mapped into memory, pages need not be copied at
    # each visit, which takes a third of its time; with a small cache it would take twice as long.
    connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}").fetchone()
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


def _require_sound(connection: sqlite3.Connection, original: Path, check: CheckName) -> None:
    lines = integrity_lines(connection, check)
    problems = [line for line in lines if not line.startswith(NO_DAMAGE)]
    if problems:
        raise damage_of(original, _say(problems))


def _require_sqlite(copy: Path, original: Path) -> None:
    if copy.stat().st_size == 0:
        raise BackupUnreadable(original, "the file is empty", "leave it out")
    if read_header(copy) is not None:
        return
    with copy.open("rb") as file:
        start = file.read(4)
    for magic, program in _COMPRESSED.items():
        if start.startswith(magic):
            raise BackupUnreadable(
                original, f"compressed with {program}", "unpack it and pass the unpacked file"
            )
    raise BackupUnreadable(original, "not a SQLite database", "leave it out")


def _require_every_page(database: Path, original: Path) -> None:
    header = read_header(database)
    size = database.stat().st_size
    expected = header.pages * header.page_size if header else 0
    if size < expected:
        raise BackupUnreadable(
            original,
            f"truncated: {size:,} of {expected:,} bytes are there",
            "leave it out, or look for another copy of the same day",
        )


def _say(problems: list[str]) -> str:
    more = len(problems) - SHOWN_PROBLEMS
    return ", ".join(problems[:SHOWN_PROBLEMS]) + (f" and {more:,} more" if more > 0 else "")


def damage_of(original: Path, found: str) -> BackupDamaged:
    """Return the error of a database in which SQLite's integrity check finds something."""
    return BackupDamaged(
        original,
        f"damaged: SQLite's integrity check found {found}",
        "go on without it with --skip-unreadable",
    )
