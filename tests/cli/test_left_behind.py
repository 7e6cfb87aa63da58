"""The database is gone, its log or journal stayed: what is put in its place is not ruined by it."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Midden, midden_with
from tests.databases import count, entity, make_database, observation
from tests.ops.test_journals import CRASHED

ROWS = 60
LOGGED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("DELETE FROM observations")
connection.execute("DELETE FROM entities")
os._exit(0)
"""
LEFT = {"-wal": LOGGED, "-journal": CRASHED}
Ways = dict[str, Callable[["Place"], list[str | Path]]]


class Place:
    """A database, a backup of it in the vault, an archive, another copy, and evidence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.target = folder / "data" / "neotoma.prod.db"
        self.copy = folder / "copies" / "neotoma.prod.db"
        self.archive = folder / "vault" / "archive"

    @property
    def evidence(self) -> Path:
        return min((self.folder / "vault" / "evidence").iterdir())


WAYS: Ways = {
    "a backup": lambda place: ["restore", "1", "--target", place.target],
    "evidence": lambda place: ["restore", place.evidence, "--target", place.target],
    "an archive": lambda place: [
        *("restore", "--from-archive", place.archive, "--target", place.target)
    ],
    "recover": lambda place: ["recover", "--target", place.target, "--backup", place.copy],
    "recover from an archive": lambda place: [
        *("recover", "--target", place.target, "--backup", place.archive)
    ],
    "search": lambda place: [*("recover", "--target", place.target, "--search", place.copy.parent)],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One to copy from: everything in it takes a while to make."""
    place = Place(tmp_path_factory.mktemp("made"))
    text = "x" * 900
    make_database(
        place.target,
        {
            "entities": [entity(f"e{n}") for n in range(ROWS)],
            "observations": [
                observation(f"o{n}", f"e{n}", fields=f'{{"title":"{text}"}}') for n in range(ROWS)
            ],
        },
    )
    place.copy.parent.mkdir()
    shutil.copy(place.target, place.copy)
    midden = midden_with(place.folder / "vault")
    assert midden("backup", "--target", place.target).returncode == 0
    assert midden("archive", "--target", place.target).returncode == 0
    assert midden("restore", "1", "--target", place.target, "--yes").returncode == 0
    return place


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    return Place(tmp_path)


@pytest.mark.parametrize("suffix", LEFT)
@pytest.mark.parametrize("way", WAYS)
def test_it_is_evidence_and_out_of_the_way(
    way: str, suffix: str, place: Place, midden: Midden
) -> None:
    subprocess.run([sys.executable, "-c", LEFT[suffix], str(place.target)], check=True)
    words = WAYS[way](place)
    left = Path(f"{place.target}{suffix}")
    content = left.read_bytes()
    assert content
    place.target.unlink()
    done = midden(*words, "--yes")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(place.target)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert count(place.target, "observations") == ROWS
    newest = max((place.folder / "vault" / "evidence").iterdir())
    assert (newest / "left-behind" / left.name).read_bytes() == content
    named = json.loads((newest / "manifest.json").read_text())["left_behind"]
    assert left.name in {file["name"] for file in named}
