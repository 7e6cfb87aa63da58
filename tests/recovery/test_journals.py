"""Rollback journals: what a crashed writer left half done is undone, and nothing else is."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from neotoma_core.files.atomic import observe
from neotoma_core.sqlite.copies import copy_database
from neotoma_core.sqlite.opening import make_whole
from tests.conftest import Recover
from tests.recovery.test_inputs import facts_of
from tests.restore.test_restore import undo
from tests.support.backing_up import Vault, fill
from tests.support.databases import count, entity, make_database, observation, read_all
from tests.support.rebuilding import check, rebuild

ROWS = 40
CRASHED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")  # so that pages are written before the commit
connection.execute("BEGIN")
connection.execute("UPDATE observations SET fields = '{}'")
connection.execute("DELETE FROM entities")
os._exit(0)
"""
BUSY = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE observations SET fields = '{}'")
print("writing", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
print("committed", flush=True)
sys.stdin.readline()
"""


def healthy(path: Path) -> Path:
    """Make a database of so many observations that not all its pages fit into a cache of one."""
    return make_database(
        path,
        {
            "entities": [entity(f"e{n}") for n in range(ROWS)],
            "observations": [
                observation(f"o{n}", f"e{n}", fields=f'{{"title":"{"x" * 900}"}}')
                for n in range(ROWS)
            ],
        },
    )


def crash(path: Path) -> Path:
    """Let a writer die in a transaction that has written pages to the file already."""
    before = path.read_bytes()
    subprocess.run([sys.executable, "-c", CRASHED, str(path)], check=True)
    assert journal_of(path).exists()
    assert path.read_bytes() != before
    return path


def journal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return healthy(tmp_path / "sound" / "neotoma.db")


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    return crash(healthy(tmp_path / "data" / "neotoma.db"))


def test_a_backup_is_read_as_it_was_before_the_transaction_and_is_left_as_it_is(
    crashed: Path, sound: Path, tmp_path: Path, run_recover: Recover
) -> None:
    before = facts_of(crashed.parent)
    target = tmp_path / "new.db"
    run_recover(target, crashed)
    assert read_all(target)["observations"] == read_all(sound)["observations"]
    assert read_all(target)["entities"] == read_all(sound)["entities"]
    assert facts_of(crashed.parent) == before


def test_a_target_is_recovered_as_it_was_before_the_transaction_and_so_is_the_undo(
    crashed: Path, sound: Path, tmp_path: Path, run_recover: Recover
) -> None:
    more = {"entities": [entity("new")], "observations": [observation("new", "new")]}
    report = run_recover(crashed, make_database(tmp_path / "more.db", more))
    assert (report.before.observations, report.after.observations) == (ROWS, ROWS + 1)
    found = read_all(crashed)
    assert set(read_all(sound)["observations"]) <= set(found["observations"])
    assert len(found["entities"]) == ROWS + 1
    assert not journal_of(crashed).exists()
    undo(report.evidence.folder, crashed)
    assert read_all(crashed) == read_all(sound)


def test_a_rebuild_is_of_what_was_before_the_transaction(crashed: Path, sound: Path) -> None:
    before = facts_of(crashed.parent)
    assert check(crashed).drifts == ROWS
    assert {n: f for n, f in facts_of(crashed.parent).items() if "vault" not in n} == before
    rebuild(crashed)
    rebuild(sound)
    assert read_all(crashed) == read_all(sound)


def test_a_backup_taken_is_of_what_was_before_the_transaction(tmp_path: Path) -> None:
    world = Vault(tmp_path)
    fill(world.target, 1)
    crash(healthy(world.target.with_name("other.prod.db")))
    healthy_rows = read_all(healthy(tmp_path / "sound.db"))
    journal_of(world.target.with_name("other.prod.db")).rename(journal_of(world.target))
    world.target.with_name("other.prod.db").replace(world.target)
    report = world.back_up()
    assert report.observations == ROWS
    assert report.drill is not None
    assert report.drill.outcome == "pass"
    world.restore("1", tmp_path / "data" / "restored.prod.db")
    assert read_all(tmp_path / "data" / "restored.prod.db") == healthy_rows


def test_a_journal_that_is_over_undoes_nothing(
    sound: Path, tmp_path: Path, run_recover: Recover
) -> None:
    with closing(sqlite3.connect(sound, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = PERSIST").fetchone()
        connection.execute("DELETE FROM observations WHERE id = 'o7'")
    assert journal_of(sound).exists()
    target = tmp_path / "new.db"
    run_recover(target, sound)
    assert count(target, "observations") == ROWS - 1


class Writer:
    """Another process in the middle of a transaction."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def commit(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("commit\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "committed\n"


@contextmanager
def writer_on(database: Path) -> Iterator[Writer]:
    with subprocess.Popen(
        [sys.executable, "-c", BUSY, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        yield Writer(process)
        process.communicate("\n")


def whole_copy(database: Path, folder: Path) -> Path:
    (folder / "copy").mkdir(parents=True)
    copy_database(database, folder / "copy")
    return make_whole(folder / "copy" / database.name, database, folder / "whole")


def test_a_transaction_under_way_is_not_in_the_copy(sound: Path, tmp_path: Path) -> None:
    before = read_all(sound)
    with writer_on(sound):
        assert journal_of(sound).exists()
        copied = whole_copy(sound, tmp_path / "copies")
    assert read_all(copied) == before


def test_a_transaction_that_ends_while_its_journal_is_open_is_not_undone_in_the_copy(
    sound: Path, tmp_path: Path
) -> None:
    """The journal was opened while it was there; the pages copied are newer than it."""
    with (
        writer_on(sound) as writer,
        observe(lambda step: writer.commit() if step == "files_opened" else None),
    ):
        copied = whole_copy(sound, tmp_path / "copies")
    assert read_all(copied) == read_all(sound)
    with closing(sqlite3.connect(copied)) as connection:
        fields = connection.execute("SELECT DISTINCT fields FROM observations").fetchall()
    assert fields == [("{}",)]
