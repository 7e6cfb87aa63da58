"""Copies made while a writer never rests are committed states, in every journal mode."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from neotoma_core.files.headers import companion, is_open_elsewhere
from neotoma_core.sqlite.copies import copy_database, copy_privately

MODES = ("DELETE", "TRUNCATE", "PERSIST", "WAL")
COPIES = 12
ROWS = 400
WRITER = """
import sqlite3, sys
path, mode = sys.argv[1:]
connection = sqlite3.connect(path, isolation_level=None, timeout=60)
connection.execute(f"PRAGMA journal_mode = {mode}")
connection.execute("PRAGMA synchronous = OFF")
connection.execute("PRAGMA cache_size = 8")  # pages go to the file before the commit
round = 0
while True:
    round += 1
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE one SET round = ?", (round,))
    connection.execute("DELETE FROM two")
    connection.execute("INSERT INTO two SELECT id, ?, randomblob(700) FROM one", (round,))
    connection.execute("COMMIT")
    if round == 3:
        print("writing", flush=True)
"""
TRY = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
try:
    connection.execute("BEGIN EXCLUSIVE")
except sqlite3.OperationalError as error:
    print(error.sqlite_errorname)
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "neotoma.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE one (id INTEGER PRIMARY KEY, round, filler)")
        connection.execute("CREATE TABLE two (id INTEGER PRIMARY KEY, round, filler)")
        connection.executemany(
            "INSERT INTO one VALUES (?, 0, randomblob(700))", [(n,) for n in range(ROWS)]
        )
        connection.execute("INSERT INTO two SELECT * FROM one")
    return path


@contextmanager
def write_to(path: Path, mode: str) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), mode], stdout=subprocess.PIPE, text=True
    ) as writer:
        try:
            assert writer.stdout
            assert writer.stdout.readline() == "writing\n"
            yield
            assert writer.poll() is None
        finally:
            writer.kill()


@pytest.mark.parametrize("mode", MODES)
def test_every_copy_beside_a_writer_is_a_committed_state(
    mode: str, database: Path, tmp_path: Path
) -> None:
    rounds = set()
    with write_to(database, mode):
        for number in range(COPIES):
            folder = tmp_path / f"copy-{number}"
            folder.mkdir()
            if number % 2:
                copy_database(database, folder)
            else:
                copy_privately(database, folder)
            time.sleep(0.01 * number)
    for number in range(COPIES):
        with closing(sqlite3.connect(tmp_path / f"copy-{number}" / "neotoma.db")) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            held = copy.execute(
                "SELECT round, count(*) FROM (SELECT round FROM one UNION ALL "
                "SELECT round FROM two) GROUP BY 1"
            ).fetchall()
        ((round_, rows),) = held
        assert rows == 2 * ROWS
        rounds.add(round_)
    assert len(rounds) > 1


@pytest.mark.parametrize("mode", MODES[:3])
def test_the_lock_is_held_while_the_copy_runs(mode: str, database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        with connection:
            connection.execute("UPDATE one SET round = 1")
    said = []

    def look(_: int) -> None:
        tried = subprocess.run(
            [sys.executable, "-c", TRY, str(database)], capture_output=True, text=True, check=True
        )
        said.append(tried.stdout.strip())

    copy_database(database, tmp_path, look)
    assert set(said) == {"SQLITE_BUSY"}


@pytest.mark.parametrize("linked", [False, True])
def test_who_writes_to_a_database_is_seen_through_a_link_too(
    database: Path, tmp_path: Path, *, linked: bool
) -> None:
    path = tmp_path / "links" / "neotoma.db" if linked else database
    if linked:
        path.parent.mkdir()
        path.symlink_to(database)
    assert not is_open_elsewhere(path)
    with write_to(database, "WAL"):
        assert companion(path, "-wal") == database.with_name("neotoma.db-wal")
        assert is_open_elsewhere(path)


def test_a_journal_that_goes_between_listing_and_opening_is_tried_again(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = database.with_name("neotoma.db-journal")
    listings = iter([(journal,), ()])
    monkeypatch.setattr("neotoma_core.sqlite.copies.companions", lambda _: next(listings))
    (copied,) = copy_database(database, tmp_path)
    assert copied.name == "neotoma.db"
    assert next(listings, None) is None
