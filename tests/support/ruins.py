"""Databases in every bad state that a target may be found in, made from a sound one."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PAGE = 4096

Spoil = Callable[[Path], None]
"""What spoils the sound database at a path."""


def cut(numerator: int, denominator: int, odd: int = 0) -> Spoil:
    """Keep this share of the bytes, and ``odd`` more."""
    return lambda path: _write(
        path, path.read_bytes()[: path.stat().st_size * numerator // denominator + odd]
    )


def keep(size: int) -> Spoil:
    return lambda path: _write(path, path.read_bytes()[:size])


def replace_with(content: bytes) -> Spoil:
    return lambda path: _write(path, content)


def overwrite(start: int, content: bytes) -> Spoil:
    def spoil(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[start : start + len(content)] = content
        _write(path, bytes(data))

    return spoil


def flip(*places: int) -> Spoil:
    def spoil(path: Path) -> None:
        data = bytearray(path.read_bytes())
        for place in places:
            data[place] ^= 0xFF
        _write(path, bytes(data))

    return spoil


def pages_zeroed(share: float) -> Spoil:
    def spoil(path: Path) -> None:
        data = bytearray(path.read_bytes())
        pages = len(data) // PAGE
        picked = random.Random(4).sample(range(1, pages), int(pages * share))  # noqa: S311 - the same
        for page in picked:
            data[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
        _write(path, bytes(data))

    return spoil


def without(*tables: str) -> Spoil:
    return lambda path: run(path, *(f"DROP TABLE {table}" for table in tables))


def empty(path: Path) -> None:
    """Leave a SQLite database without a table."""
    path.unlink()
    run(path, "PRAGMA user_version = 1", "VACUUM")


def rows_unindexed(path: Path) -> None:
    """Let an index lack rows of its table."""
    name, root, statement = _index(path)
    _schema(path, "DELETE FROM sqlite_schema WHERE name = ?", name)
    run(path, "CREATE TABLE aside AS SELECT * FROM observations LIMIT 5")
    run(path, "DELETE FROM observations WHERE id IN (SELECT id FROM aside)")
    run(path, "INSERT INTO observations SELECT * FROM aside", "DROP TABLE aside")
    _schema(
        path,
        "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) "
        "VALUES ('index', ?, 'observations', ?, ?)",
        *(name, root, statement),
    )


def index_page_zeroed(path: Path) -> None:
    _, root, _ = _index(path)
    overwrite((root - 1) * PAGE, bytes(PAGE))(path)


def with_hot_journal(path: Path) -> None:
    """Put a journal next to it that is not its own: rolled back, it damages what was sound."""
    other = path.with_name("other")
    shutil.copy(path, other)
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.execute("DELETE FROM observations")
        journal = other.with_name("other-journal").read_bytes()
        connection.execute("ROLLBACK")
    other.unlink()
    path.with_name(f"{path.name}-journal").write_bytes(journal)
    pages_zeroed(0.2)(path)


def with_log(path: Path) -> None:
    """Zero the file of a database and leave its log, which does not make it whole."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE observations SET user_id = user_id")
        log = path.with_name(f"{path.name}-wal").read_bytes()
    _write(path, b"")
    path.with_name(f"{path.name}-wal").write_bytes(log)


SPOILT: dict[str, Spoil] = {
    "no byte": replace_with(b""),
    "zeros": replace_with(bytes(2 * PAGE)),
    "no table": empty,
    "header zeroed": overwrite(0, bytes(100)),
    "first page zeroed": overwrite(0, bytes(PAGE)),
    "pages zeroed": pages_zeroed(0.3),
    "first quarter": cut(1, 4),
    "half": cut(1, 2),
    "three quarters": cut(3, 4),
    "half, and odd": cut(1, 2, 777),
    "first 50 bytes": keep(50),
    "first 101 bytes": keep(101),
    "first page": keep(PAGE),
    "wrong page size": overwrite(16, (1024).to_bytes(2, "big")),
    "no page size": overwrite(16, (1000).to_bytes(2, "big")),
    "schema flipped": flip(105, 106, 107, PAGE - 40, PAGE - 39),
    "first page of no kind": overwrite(100, b"\x77"),
    "text": replace_with(b"this is not a database\n" * 30),
    "noise": replace_with(random.Random(6).randbytes(5001)),  # noqa: S311 - the same
    "no entities": without("entities"),
    "no observations": without("observations"),
    "rows not in an index": rows_unindexed,
    "page of an index zeroed": index_page_zeroed,
    "hot journal": with_hot_journal,
    "only a log": with_log,
}


def make(*statements: str, header: bytes = b"") -> Spoil:
    """Put a database of another program there; ``header``: what it begins with, if not as usual."""

    def spoil(path: Path) -> None:
        path.unlink()
        run(path, *statements)
        overwrite(0, header)(path)

    return spoil


FOREIGN: dict[str, Spoil] = {
    "another program's": make("CREATE TABLE photos (id)", "INSERT INTO photos VALUES (1)"),
    "another program's without a table": make("PRAGMA application_id = 77", "VACUUM"),
    "another program's with our names": make(
        "CREATE TABLE entities (id)", "CREATE TABLE sources (id)"
    ),
    "another program's, damaged": make("CREATE TABLE photos (id)", header=b"\x01"),
    "encrypted": replace_with(random.Random(7).randbytes(4 * PAGE)),  # noqa: S311 - the same
    "encrypted with a plain header": lambda path: _write(
        path,
        path.read_bytes()[:32] + random.Random(8).randbytes(4 * PAGE - 32),  # noqa: S311 - the same
    ),
    "a zip": replace_with(b"PK\x03\x04" + bytes(500)),
}


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            connection.execute(statement)


def _schema(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(statement, values)


def _index(path: Path) -> tuple[str, int, str]:
    with closing(sqlite3.connect(path)) as connection:
        name, root, statement = connection.execute(
            "SELECT name, rootpage, sql FROM sqlite_schema WHERE type = 'index' "
            "AND tbl_name = 'observations' AND sql IS NOT NULL ORDER BY name"
        ).fetchone()
    return str(name), int(root), str(statement)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
