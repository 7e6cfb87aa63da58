"""A commit that fails or is killed halfway, with pages of it in the file: the target is the old."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Recover
from tests.recovery.test_journals import journal_of
from tests.support.databases import Row, entity, make_database, observation, read_all
from tests.support.forks.asking import python

KILLED = 77
RUN = """
import os, resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from neotoma_core.report.progress import Silent
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.files.atomic import observe

target, backup, vault, how = sys.argv[1:]
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)

def let_files_grow_to(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))

def given_up(*_):  # SQLite could neither write the pages nor put back the ones it had written
    if how == "killed":
        os._exit(77)
    let_files_grow_to(most)

def narrow(step):
    if step == "verified":  # of the commit, the pages of the first half can be written
        let_files_grow_to(Path(target).stat().st_size // 2)

signal.signal(signal.SIGXFSZ, given_up)
request = RecoverRequest(Path(target), (Path(backup),), Path(vault))
with observe(narrow), recovery_run(request, datetime(2026, 3, 12, tzinfo=UTC)) as run:
    recover(run, lambda _: True, Silent())
"""


def rows(first: int, number: int) -> dict[str, list[Row]]:
    names = [f"{n:04}" for n in range(first, first + number)]
    text = f'{{"title":"{"x" * 900}"}}'
    return {
        "entities": [entity(f"e{n}") for n in names],
        "observations": [observation(f"o{n}", f"e{n}", fields=text) for n in names],
    }


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return make_database(tmp_path / "data" / "target.db", rows(0, 400))


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return make_database(tmp_path / "backup.db", rows(399, 101))


def run(how: str, target: Path, backup: Path) -> "subprocess.CompletedProcess[str]":
    words = (target, backup, backup.with_name("vault"), how)
    return subprocess.run(
        [python(), "-c", RUN, *map(str, words)], capture_output=True, text=True, check=False
    )


def test_a_commit_that_fails_halfway_is_undone_before_the_run_ends(
    target: Path, backup: Path
) -> None:
    before = target.read_bytes()
    done = run("fails", target, backup)
    assert "TargetError" in done.stderr
    assert "the disk failed while it was written to; nothing was changed" in done.stderr
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == ["target.db"]


def test_a_commit_that_is_killed_halfway_is_undone_by_whoever_opens_the_target_next(
    target: Path, backup: Path, tmp_path: Path, run_recover: Recover
) -> None:
    old, before = read_all(target), target.read_bytes()
    assert run("killed", target, backup).returncode == KILLED
    assert target.read_bytes() != before
    # No other file is part of it, so that it is undone wherever these two are copied to.
    assert {path.name for path in target.parent.iterdir()} == {"target.db", journal_of(target).name}
    elsewhere = shutil.copytree(target.parent, tmp_path / "elsewhere") / target.name
    shutil.rmtree(target.parent)
    copy = shutil.copytree(elsewhere.parent, tmp_path / "copy") / target.name
    report = run_recover(tmp_path / "new.db", copy)
    assert report.after.observations == 400
    assert read_all(elsewhere) == old
