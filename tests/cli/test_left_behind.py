"""The database is gone, its log or journal stayed: what is put in its place is not ruined by it."""

import gzip
import hashlib
import json
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import cycle, product
from pathlib import Path

import pytest

from neotoma_core.cli.app import app
from neotoma_core.errors import TargetChanged
from neotoma_core.files.atomic import observe, sync_folder
from neotoma_core.neotoma.json import JsonValue, stringify
from tests.cli.conftest import Midden, midden_with
from tests.recovery.test_journals import CRASHED
from tests.support.databases import count, entity, make_database, observation

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
        self.neotoma = folder / "neotoma backup"
        self.packed = folder / "packed" / "neotoma.prod.db.gz"

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
    "around": lambda place: ["recover", "--target", place.target],
    "a backup's folder": lambda place: [
        *("restore", next((place.folder / "vault" / "backups").iterdir()), "--target", place.target)
    ],
    "a vault": lambda place: ["restore", place.folder / "vault", "--target", place.target],
    "a file": lambda place: ["restore", place.copy, "--target", place.target],
    "Neotoma's folder": lambda place: ["restore", place.neotoma, "--target", place.target],
    "packed": lambda place: ["restore", place.packed, "--target", place.target],
    "an archive as of": lambda place: [
        *("restore", "--from-archive", place.archive, "--target", place.target),
        *("--as-of", "2030-01-01"),
    ],
    "an archive by its path": lambda place: ["restore", place.archive, "--target", place.target],
}
_ALSO_BY_A_JOURNAL = 6
BOTH = [
    *product(list(WAYS)[:_ALSO_BY_A_JOURNAL], LEFT),
    *zip(list(WAYS)[_ALSO_BY_A_JOURNAL:], cycle(LEFT), strict=False),
]
REFUSED: Ways = {
    "backup": lambda place: ["backup", "--target", place.target],
    "reset": lambda place: ["reset", "--target", place.target, "--yes"],
    "rebuild": lambda place: ["rebuild", "--target", place.target, "--yes"],
    "rebuild --check": lambda place: ["rebuild", "--target", place.target, "--check"],
    "rebuild --as-of": lambda place: [
        *("rebuild", "--target", place.target, "--as-of", "2030-01-01"),
        *("--out", place.folder / "out.parquet"),
    ],
    "archive": lambda place: ["archive", "--target", place.target],
    "erase": lambda place: ["erase", "--target", place.target, "--entity", "e1", "--yes"],
    "export": lambda place: ["export", "--target", place.target, "--to", place.folder / "out"],
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
    place.packed.parent.mkdir()
    place.packed.write_bytes(gzip.compress(place.target.read_bytes()))
    place.neotoma.mkdir()
    shutil.copy(place.target, place.neotoma)
    digest = hashlib.sha256(place.target.read_bytes()).hexdigest()
    described: JsonValue = {
        "contents": {"neotoma_db": place.target.name},
        "checksums": {place.target.name: f"sha256:{digest}"},
    }
    (place.neotoma / "manifest.json").write_text(stringify(described))
    midden = midden_with(place.folder / "vault")
    assert midden("backup", "--target", place.target).returncode == 0
    assert midden("archive", "--target", place.target).returncode == 0
    assert midden("restore", "1", "--target", place.target, "--yes").returncode == 0
    return place


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    return Place(tmp_path)


def leave(place: Place, suffix: str) -> tuple[Path, bytes]:
    """Let a writer be killed and its database be deleted; return what is left of it."""
    subprocess.run([sys.executable, "-c", LEFT[suffix], str(place.target)], check=True)
    left = Path(f"{place.target}{suffix}")
    content = left.read_bytes()
    assert content
    place.target.unlink()
    return left, content


@pytest.mark.parametrize(("way", "suffix"), BOTH)
def test_it_is_evidence_and_out_of_the_way(
    way: str, suffix: str, place: Place, midden: Midden
) -> None:
    words = WAYS[way](place)
    left, content = leave(place, suffix)
    done = midden(*words, "--yes")
    assert done.returncode == 0, done.stderr
    assert str(left) in done.stdout
    with closing(sqlite3.connect(place.target)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert count(place.target, "observations") == ROWS
    newest = max((place.folder / "vault" / "evidence").iterdir())
    assert (newest / "left-behind" / left.name).read_bytes() == content
    named = json.loads((newest / "manifest.json").read_text())["left_behind"]
    assert left.name in {file["name"] for file in named}


@pytest.mark.parametrize("way", ["a backup", "an archive", "recover"])
def test_a_dry_run_names_it_and_leaves_it_alone(way: str, place: Place, midden: Midden) -> None:
    words = WAYS[way](place)
    left, content = leave(place, "-wal")
    done = midden(*words, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert str(left) in done.stdout
    assert left.read_bytes() == content


@pytest.mark.parametrize("way", WAYS)
def test_it_is_evidence_and_gone_for_good_before_the_database_is_put_there(
    way: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = WAYS[way](place)
    left, content = leave(place, "-wal")
    vault = place.folder / "vault"
    monkeypatch.setenv("MIDDEN_VAULT", str(vault))
    steps: list[str] = []

    def sync(folder: Path) -> None:
        steps.append(f"synced {folder}")
        sync_folder(folder)

    def look(step: str) -> None:
        if step == "companions_removed":
            newest = max((vault / "evidence").iterdir())
            kept = (newest / "left-behind" / left.name).read_bytes() == content
            named = left.name in (newest / "manifest.json").read_text()
            steps.append(f"removed {kept} {named} {left.exists()} {place.target.exists()}")
        if step == "renamed" and place.target.exists():
            steps.append("put there")

    monkeypatch.setattr("neotoma_core.publication.installing.sync_folder", sync)
    with observe(look):
        app([*map(str, words), "--yes"], standalone_mode=False)
    folder = place.target.parent
    expected = [f"synced {folder}", "removed True True False False", "put there"]
    assert steps[: len(expected)] == expected


@pytest.mark.parametrize(("way", "suffix"), list(zip(REFUSED, cycle(LEFT), strict=False)))
def test_what_needs_the_database_says_that_its_log_is_left_and_what_to_do(
    way: str, suffix: str, place: Place, midden: Midden
) -> None:
    left, content = leave(place, suffix)
    done = midden(*REFUSED[way](place))
    assert done.returncode == 11, done.stderr
    assert left.name in done.stderr
    assert f"midden recover --target {place.target}" in done.stderr
    assert left.read_bytes() == content
    assert not place.target.exists()


@pytest.mark.parametrize("suffix", LEFT)
def test_status_says_that_a_log_is_left_and_its_next_command_uses_it(
    suffix: str, place: Place, midden: Midden
) -> None:
    left, content = leave(place, suffix)
    done = midden("status", place.target)
    assert done.returncode == 6, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("log "))
    assert f"{left}: {len(content):,} bytes" in line
    said = json.loads(midden("status", place.target, "--json").stdout)
    (log,) = said["left_logs"]
    assert (log["path"], log["bytes"]) == (str(left), len(content))
    words = shlex.split(said["next"])
    assert words[:2] == ["midden", "recover"]
    assert midden(*words[1:], "--yes").returncode == 0
    assert count(place.target, "observations") == ROWS
    assert json.loads(midden("status", place.target, "--json").stdout)["left_logs"] == []


def test_a_log_is_all_there_is_and_status_still_says_what_to_do(
    tmp_path: Path, midden: Midden
) -> None:
    log = tmp_path / "data" / "memory.db-wal"
    log.parent.mkdir()
    log.write_bytes(bytes(64))
    done = midden("status", log.with_name("memory.db"))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{log}: 64 bytes" in done.stdout
    assert "midden recover --target" in done.stdout


def test_find_names_a_log_whose_database_is_gone_and_no_other(place: Place, midden: Midden) -> None:
    left, content = leave(place, "-wal")
    others = {"app.db-wal": b"x" * 64, "neotoma.dev.db-wal": b"", "neotoma.db-journal.txt": b"x"}
    for name, bytes_of in others.items():
        (place.folder / "data" / name).write_bytes(bytes_of)
    said = json.loads(midden("find", place.folder, "--json").stdout)
    assert [(log["path"], log["bytes"]) for log in said["left_logs"]] == [(str(left), len(content))]
    line = midden("find", place.folder).stdout
    assert f"midden recover --target {place.target}" in line


def test_what_is_left_and_was_written_to_since_it_was_kept_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, content = leave(place, "-wal")
    monkeypatch.setenv("MIDDEN_VAULT", str(place.folder / "vault"))

    def write_on(step: str) -> None:
        if step == "left_behind_kept":
            left.write_bytes(content + b"more")

    with observe(write_on), pytest.raises(TargetChanged):
        app(["restore", "1", "--target", str(place.target), "--yes"], standalone_mode=False)
    assert left.read_bytes() == content + b"more"
    assert not place.target.exists()


def test_going_back_to_there_being_no_database_keeps_its_log_too(
    place: Place, midden: Midden
) -> None:
    place.target.unlink()
    assert midden("restore", "1", "--target", place.target, "--yes").returncode == 0
    undo = max((place.folder / "vault" / "evidence").iterdir())
    left, content = leave(place, "-wal")
    done = midden("restore", undo, "--target", place.target, "--yes")
    assert done.returncode == 0, done.stderr
    newest = max((place.folder / "vault" / "evidence").iterdir())
    assert (newest / "left-behind" / left.name).read_bytes() == content
    assert list(place.target.parent.glob(f"{place.target.name}*")) == []
