"""Quick hashes of rows by their records: they change whenever a cell does, and only then."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.neotoma.frames import ROWID
from neotoma_core.row_versions.record_hashes import record_hashes

SEEDS = (5, 6)
LENGTHS = (0, 1, 4, 5, 11, 12, 13, 60, 400, 477, 478, 479, 490, 1_000, 4_055, 4_061, 4_070, 9_000)
SETTINGS = (
    ("page_size = 512", "encoding = 'UTF-8'"),
    ("page_size = 4096", "auto_vacuum = 1"),
    ("page_size = 65536", "encoding = 'UTF-16le'"),
)


def hashes(database: Path) -> dict[int, tuple[int, int]]:
    found = record_hashes(database, "t", SEEDS)
    assert found is not None
    return {number: (first, second) for number, first, second in found.iter_rows()}


def cells(connection: sqlite3.Connection) -> dict[int, tuple[object, ...]]:
    query = "SELECT rowid, typeof(a), quote(a), quote(b) FROM t"
    return {number: row for number, *row in connection.execute(query)}


def change(chance: random.Random) -> object:
    return chance.choice(
        [None, chance.randrange(-(2**63), 2**63), chance.random(), chance.randbytes(3)]
        + [f"{chance.random()}".ljust(chance.choice(LENGTHS), "x") for _ in range(8)]
    )


@pytest.mark.parametrize("settings", SETTINGS)
def test_they_differ_exactly_where_rows_do(settings: tuple[str, ...], tmp_path: Path) -> None:
    chance = random.Random(settings[0])  # noqa: S311 - the same changes every time
    database = tmp_path / "db.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        for setting in settings:
            connection.execute(f"PRAGMA {setting}")
        connection.execute("CREATE TABLE t (a, b REAL)")
        numbers = [*range(300), *(chance.randrange(-(2**63), 2**63) for _ in range(300))]
        insert = "INSERT OR IGNORE INTO t (rowid, a, b) VALUES (?, ?, ?)"
        connection.executemany(insert, ((n, change(chance), n / 3) for n in numbers))
        connection.commit()
        before, then = cells(connection), hashes(database)
        assert before.keys() == then.keys()

        for number in chance.sample(sorted(before), 60):
            connection.execute("UPDATE t SET a = ? WHERE rowid = ?", (change(chance), number))
        for number in chance.sample(sorted(before), 60):  # the very last byte of a text
            last = "UPDATE t SET a = substr(a, 1, length(a) - 1) || 'y' WHERE rowid = ?"
            connection.execute(last + " AND typeof(a) = 'text' AND a <> ''", (number,))
        connection.executemany("DELETE FROM t WHERE rowid = ?", [(n,) for n in range(20)])
        connection.commit()

        after, now = cells(connection), hashes(database)
        assert after.keys() == now.keys()
        differing = {n for n in after if after[n] != before[n]}
        assert {n for n in after if now[n] != then[n]} == differing


@pytest.mark.parametrize("declared", ["WITHOUT ROWID", "a view", "gone"])
def test_what_is_no_ordinary_table_has_none(declared: str, tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        if declared == "WITHOUT ROWID":
            connection.execute("CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID")
        elif declared == "a view":
            connection.execute("CREATE VIEW t AS SELECT 1 AS a")
        else:
            connection.execute("CREATE TABLE u (a)")

    assert record_hashes(database, "t", SEEDS) is None


def test_a_damaged_file_has_none_or_others_and_never_ends_the_program(tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE t (a)")
        rows = [("x" * length,) for length in range(0, 9_000, 90)]
        connection.executemany("INSERT INTO t VALUES (?)", rows)
        connection.commit()
    whole = database.read_bytes()
    good = record_hashes(database, "t", SEEDS)
    chance = random.Random(1)  # noqa: S311 - the same damage every time
    for _ in range(60):
        harmed = bytearray(whole)
        place = 4_096 + chance.randrange(len(whole) - 4_096)
        harmed[place : place + 8] = chance.randbytes(8)
        database.write_bytes(harmed)

        found = record_hashes(database, "t", SEEDS)

        assert found is None or isinstance(found, pl.DataFrame)
    assert good is not None
    assert good[ROWID].to_list() == list(range(1, 101))
