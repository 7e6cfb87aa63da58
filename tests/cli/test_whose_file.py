"""What is put in a database's place is as much its user's as the old file was."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.support.databases import count, insert, make_database, observation


@pytest.fixture
def target(tmp_path: Path, midden: Midden) -> Path:
    """A database of one observation that its group may read, and a backup of it."""
    path = make_database(
        tmp_path / "data" / "neotoma.prod.db", {"observations": [observation("o1")]}
    )
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1000, 1000)
    assert midden("backup", "--target", path).returncode == 0
    return path


def facts(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


@pytest.mark.parametrize("way", ["restore", "reset", "recover"])
def test_owner_and_mode_stay(way: str, target: Path, tmp_path: Path, midden: Midden) -> None:
    before, number = facts(target), target.stat().st_ino
    other = make_database(tmp_path / "other.prod.db", {"observations": [observation("o2")]})
    ways: dict[str, list[str | Path]] = {
        "restore": ["1"],
        "reset": [],
        "recover": ["--backup", other],
    }
    environment = target.with_name("neotoma.db")
    if way == "reset":  # of production only at a terminal
        target = target.rename(environment)
        number = target.stat().st_ino
    done = midden(way, *ways[way], "--target", target, "--yes")
    assert done.returncode == 0, done.stderr
    assert facts(target) == before
    assert (target.stat().st_ino == number) is (way == "recover")


@pytest.mark.parametrize("way", ["restore", "recover"])
def test_a_new_file_is_for_its_owner_alone(way: str, target: Path, midden: Midden) -> None:
    new = target.with_name("new.prod.db")
    mask = os.umask(0)
    try:
        ways: dict[str, list[str | Path]] = {"restore": ["1"], "recover": ["--backup", target]}
        done = midden(way, *ways[way], "--target", new, "--yes")
    finally:
        os.umask(mask)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(new.stat().st_mode) == 0o600


LEAVES_A_LOG = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("UPDATE observations SET fields = '{\\"title\\":\\"in the log\\"}'")
os._exit(0)
"""


@pytest.mark.parametrize("way", ["backup", "recover"])
def test_the_log_of_a_database_that_a_link_names_is_read(
    way: str, target: Path, tmp_path: Path, midden: Midden
) -> None:
    link, made = tmp_path / "link.prod.db", tmp_path / "made.prod.db"
    link.symlink_to(target)
    subprocess.run([sys.executable, "-c", LEAVES_A_LOG, str(target)], check=True)
    assert Path(f"{target}-wal").stat().st_size
    words: dict[str, list[str | Path]] = {
        "backup": ["restore", "2"],
        "recover": ["recover", "--backup", link],
    }
    if way == "backup":
        assert midden("backup", "--target", link).returncode == 0
    done = midden(*words[way], "--target", made, "--yes")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(made)) as connection:
        (title,) = connection.execute("SELECT fields ->> 'title' FROM observations").fetchone()
    assert title == "in the log"


def test_a_link_is_followed_to_what_it_names(target: Path, tmp_path: Path, midden: Midden) -> None:
    link = tmp_path / "link.prod.db"
    link.symlink_to(target)
    with closing(sqlite3.connect(target, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        insert(writer, "observations", observation("o2"))
        assert midden("backup", "--target", link).returncode == 0
    made = tmp_path / "made.prod.db"
    assert midden("restore", "2", "--target", made, "--yes").returncode == 0
    assert count(made, "observations") == 2
    done = midden("restore", "1", "--target", link, "--yes")
    assert done.returncode == 0, done.stderr
    assert link.is_symlink()
    assert count(target, "observations") == 1
