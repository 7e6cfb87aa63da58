"""A database is backed up, wiped, and backed up again, as a nightly schedule does."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.databases import count, entity, make_database, observation

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
    done = midden("recover", "--target", wiped, "--search", elsewhere, "--yes")
    assert done.returncode == 0, done.stderr
    assert count(wiped, "observations") == ROWS


def test_a_backup_is_named_by_its_number_as_in_a_restore(wiped: Path, midden: Midden) -> None:
    done = midden("recover", "--target", wiped, "--backup", "1", "--yes")
    assert done.returncode == 0, done.stderr
    assert count(wiped, "observations") == ROWS
