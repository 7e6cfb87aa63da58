"""A database is backed up, wiped, and backed up again, as a nightly schedule does."""

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.support.databases import count, entity, make_database, observation

ROWS = 50


@pytest.fixture
def wiped(tmp_path: Path, midden: Midden) -> Path:
    target = make_database(
        tmp_path / "data" / "neotoma.prod.db",
        {
            "entities": [entity(f"e{n}") for n in range(ROWS)],
            "observations": [observation(f"o{n}", f"e{n}") for n in range(ROWS)],
        },
    )
    assert midden("backup", "--target", target).returncode == 0
    target.unlink()
    make_database(target)
    assert midden("backup", "--target", target, "--expect-empty").returncode == 6
    return target


def test_the_status_knows_the_vaults_backups_as_its_own(wiped: Path, midden: Midden) -> None:
    said = midden("status", wiped, "--json")
    assert said.returncode == 6
    report = json.loads(said.stdout)
    assert (report["drop"]["verdict"], report["drop"]["lacks"]) == ("wiped", ROWS)
    done = midden(*report["next"].split()[1:], "--yes")
    assert done.returncode == 0, done.stderr
    assert count(wiped, "observations") == ROWS


def test_a_search_anywhere_finds_them(wiped: Path, tmp_path: Path, midden: Midden) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    report = json.loads(midden("status", wiped, "--search", elsewhere, "--json").stdout)
    assert (report["drop"]["verdict"], report["drop"]["lacks"]) == ("wiped", ROWS)
    done = midden("recover", "--target", wiped, "--search", elsewhere, "--yes")
    assert done.returncode == 0, done.stderr
    assert count(wiped, "observations") == ROWS


def test_a_backup_is_named_by_its_number_as_in_a_restore(wiped: Path, midden: Midden) -> None:
    done = midden("recover", "--target", wiped, "--backup", "1", "--yes")
    assert done.returncode == 0, done.stderr
    assert count(wiped, "observations") == ROWS


def test_a_number_that_cannot_be_told_is_called_so(
    wiped: Path, tmp_path: Path, midden: Midden
) -> None:
    unknown = midden("recover", "--target", wiped, "--backup", "7", "--yes")
    assert (unknown.returncode, "no backup has that name; nothing" in unknown.stderr) == (2, True)
    first = min((tmp_path / "vault" / "backups").iterdir())
    (first / "manifest.json").write_text("{")
    for words in (["recover", "--backup", "1"], ["restore", "1"]):
        done = midden(*words, "--target", wiped, "--yes")
        assert done.returncode == 2
        assert "something among the backups cannot be read" in done.stderr


def test_a_description_that_is_a_pipe_is_called_so(
    wiped: Path, tmp_path: Path, midden: Midden
) -> None:
    description = tmp_path / "vault" / "vault.json"
    description.unlink()
    os.mkfifo(description)
    done = midden("backup", "--target", wiped)
    assert (done.returncode, "vault.json: not a regular file" in done.stderr) == (20, True)


def test_a_link_to_the_database_is_the_database(
    wiped: Path, tmp_path: Path, midden: Midden
) -> None:
    link = tmp_path / "links" / "neotoma.prod.db"
    link.parent.mkdir()
    link.symlink_to(wiped)
    report = json.loads(midden("status", link, "--json").stdout)
    assert (report["drop"]["verdict"], report["drop"]["lacks"]) == ("wiped", ROWS)


@pytest.mark.parametrize("words", [["restore", "1"], ["recover", "--backup", "1"]])
def test_a_number_is_the_backup_also_where_a_file_is_called_so(
    words: list[str], wiped: Path, tmp_path: Path, midden: Midden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    Path("1").write_text("not a database")
    done = midden(*words, "--target", wiped, "--yes")
    assert done.returncode == 0, done.stderr
    assert count(wiped, "observations") == ROWS


def test_a_status_unpacks_few_of_many_backups(wiped: Path, tmp_path: Path, midden: Midden) -> None:
    for _ in range(3):
        midden("backup", "--target", wiped, "--expect-empty")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    report = json.loads(midden("status", wiped, "--search", elsewhere, "--json").stdout)
    assert (report["copies"], report["drop"]["lacks"]) == (2, ROWS)
