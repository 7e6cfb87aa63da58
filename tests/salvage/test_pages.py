import random
import sqlite3
from contextlib import closing
from pathlib import Path

from neotoma_core.salvage.pages import Pages, StoredRow, tables_of

LONG = "x" * 20_000


def database(path: Path, page_size: int = 1024, rows: int = 300) -> bytes:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        connection.execute("CREATE TABLE other (a)")
        connection.execute("CREATE TABLE log (id TEXT PRIMARY KEY, n INTEGER, r REAL, b BLOB)")
        connection.execute("BEGIN")
        for n in range(1, rows + 1):
            cells = (f"id-{n}", (-1) ** n * 7**n % 2**62, n / 4, LONG if n % 97 == 0 else b"\x00")
            connection.execute("INSERT INTO log VALUES (?, ?, ?, ?)", cells)
        connection.execute("COMMIT")
    return path.read_bytes()


def rows_expected(path: Path) -> list[StoredRow]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT rowid, * FROM log ORDER BY rowid").fetchall()
    return [StoredRow(number, tuple(cells)) for number, *cells in rows]


def open_pages(data: bytes) -> Pages:
    pages = Pages.of(data)
    assert pages is not None
    return pages


def test_every_row_is_read_as_sqlite_reads_it(tmp_path: Path) -> None:
    for size in (512, 1024, 4096, 65536):
        path = tmp_path / f"{size}.db"
        pages = open_pages(database(path, size))
        roots = tables_of(pages)
        assert list(pages.tree(roots["log"])) == rows_expected(path)
        list(pages.tree(roots["other"]))
        assert list(pages.orphans()) == []


def test_pages_that_no_table_leads_to_any_more_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    data = bytearray(database(path))
    whole = open_pages(bytes(data))
    root = tables_of(whole)["log"]
    data[(root - 1) * whole.size] = 0  # the root of the table is not a page of a table any more
    pages = open_pages(bytes(data))
    assert list(pages.tree(root)) == []
    lost = [row for page in pages.orphans() for row in pages.leaf(page)]
    assert [row for row in rows_expected(path) if row not in lost] == []


def test_rows_of_pages_called_unused_were_deleted_and_stay_so(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM log WHERE n > 0")
        connection.execute("DROP TABLE log")
    pages = open_pages(path.read_bytes())
    for root in tables_of(pages).values():
        list(pages.tree(root))
    assert list(pages.orphans()) == []


def test_noise_and_cuts_anywhere_never_break_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    sound = database(path, 512)
    right = {row.number: row for row in rows_expected(path)}
    chance = random.Random(7)  # noqa: S311 - the same noise every time
    for _ in range(60):
        data = bytearray(sound)
        for _ in range(chance.randrange(1, 40)):
            start = chance.randrange(100, len(data))
            data[start : start + 40] = chance.randbytes(40)
        pages = Pages.of(bytes(data[: chance.randrange(2000, len(data))]))
        assert pages is not None
        for root in tables_of(pages).values():
            list(pages.tree(root))
        for page in pages.orphans():
            list(pages.leaf(page))
    cut = open_pages(sound[: len(sound) // 2])
    kept = list(cut.tree(tables_of(cut)["log"]))
    assert 0 < len(kept) < len(right)
    assert kept == [right[row.number] for row in kept]


def test_a_file_that_is_no_database_has_no_pages() -> None:
    assert Pages.of(b"") is None
    assert Pages.of(b"SQLite format 3\x00" + bytes(200)) is None
