"""Every command that looks for raw files, or puts some, does so where Neotoma keeps them."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.support.databases import USER, count
from tests.support.raw import database, name_of, names_in, put

CONTENTS = tuple(f"receipt {number}".encode() for number in range(12))
NAMES = {name_of(content) for content in CONTENTS}


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "raw"
    monkeypatch.setenv("NEOTOMA_RAW_STORAGE_DIR", str(folder))
    for content in CONTENTS:
        put(folder, content)
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return database(tmp_path / "data" / "neotoma.prod.db", *CONTENTS)


def test_backup_status_verify_and_restore(raw: Path, target: Path, midden: Midden) -> None:
    taken = midden("backup", "--target", target, "--json")
    report = json.loads(taken.stdout)
    assert (report["raw_files_kept"], report["raw_files_missing"]) == (12, 0)
    assert report["raw_folders"] == [str(raw)]
    assert json.loads(midden("status", target, "--json").stdout)["raw_files"]["gone"] == 0
    shutil.rmtree(raw)
    status = midden("status", target)
    assert status.returncode == 6
    assert (
        "12 of the 12 raw files in the newest backup are no longer with the data" in status.stdout
    )
    assert midden("verify", "--target", target).returncode == 0
    assert midden("restore", "1", "--target", target, "--yes").returncode == 0
    assert names_in(raw) == NAMES
    assert not list(target.parent.glob("sources*"))


def test_the_next_step_of_the_status_brings_them_back(
    raw: Path, target: Path, midden: Midden
) -> None:
    midden("backup", "--target", target)
    shutil.rmtree(raw)
    words = json.loads(midden("status", target, "--json").stdout)["next"].split()
    assert midden(*words[1:], "--yes").returncode == 0
    assert names_in(raw) == NAMES


def test_recover(raw: Path, tmp_path: Path, midden: Midden) -> None:
    content = b"of the backup"
    backup = database(tmp_path / "backups" / "neotoma.prod.db", *CONTENTS, content)
    put(backup.parent / "sources_prod", content)
    target = tmp_path / "data" / "neotoma.prod.db"
    target.parent.mkdir()
    done = midden("recover", "--target", target, "--backup", backup.parent, "--yes", "--json")
    assert json.loads(done.stdout)["raw_files"]["missing"] == []
    assert names_in(raw) == NAMES | {name_of(content)}
    assert not list(target.parent.glob("sources*"))


def test_erase_and_the_backup_before_it(raw: Path, target: Path, midden: Midden) -> None:
    dev = target.rename(target.with_name("neotoma.db"))
    done = midden("erase", "--target", dev, "--user", USER, "--yes", "--json")
    assert json.loads(done.stdout)["erased_raw_files"]["removed"] == 12
    assert (names_in(raw), count(dev, "sources")) == (set(), 0)
    (backup,) = json.loads(midden("backups", "--target", dev, "--json").stdout)["listed"]
    assert (backup["kind"], backup["raw_files"]) == ("before-erase", 12)


def test_the_backup_before_a_reset(raw: Path, target: Path, midden: Midden) -> None:
    dev = target.rename(target.with_name("neotoma.db"))
    done = midden("reset", "--target", dev, "--yes")
    assert done.returncode == 0, done.stderr
    (backup,) = json.loads(midden("backups", "--target", dev, "--json").stdout)["listed"]
    assert (backup["raw_files"], backup["raw_files_missing"]) == (12, 0)
    assert names_in(raw) == NAMES
