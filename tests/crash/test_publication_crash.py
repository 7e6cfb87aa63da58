"""Killed at any step, the target is the old database or the new one, and a rerun completes it."""

import subprocess
from pathlib import Path

import pytest

from neotoma_core.files import atomic
from neotoma_core.publication import transaction as publication
from tests.conftest import Recover
from tests.support.databases import entity, make_database, observation, read_all
from tests.support.forks.asking import python

KILLED = 77
RUN = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from neotoma_core.report.progress import Silent
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.files.atomic import observe

target, backup, vault, step, times = sys.argv[1:]
left = int(times)

def crash(reached):
    global left
    if reached == step:
        left -= 1
        if left == 0:
            os._exit(77)

with observe(crash):
    request = RecoverRequest(Path(target), (Path(backup),), Path(vault))
    with recovery_run(request, datetime(2026, 3, 12, tzinfo=UTC)) as run:
        recover(run, lambda _: True, Silent())
"""


def crash_at(step: str, times: int, target: Path, backup: Path, vault: Path) -> int:
    words = (str(target), str(backup), str(vault), step, str(times))
    return subprocess.run([python(), "-c", RUN, *words], check=False).returncode


def make_pair(folder: Path) -> tuple[Path, Path]:
    target = make_database(
        folder / "data" / "target.db",
        {"entities": [entity("e1")], "observations": [observation("o1")]},
    )
    backup = make_database(
        folder / "backup.db",
        {"entities": [entity("e2")], "observations": [observation("o2", "e2")]},
    )
    return target, backup


@pytest.mark.parametrize("step", publication.STEPS)
def test_a_killed_run_leaves_the_old_target_or_the_new_one(
    step: str, tmp_path: Path, run_recover: Recover
) -> None:
    target, backup = make_pair(tmp_path)
    twin, _ = make_pair(tmp_path / "twin")
    old = read_all(target)
    assert crash_at(step, 1, target, backup, tmp_path / "vault") == KILLED
    found = read_all(target)
    run_recover(twin, backup)
    new = read_all(twin)
    assert found == (new if step == "committed" else old)
    report = run_recover(target, backup)
    assert report.outcome == ("unchanged" if step == "committed" else "published")
    assert read_all(target) == new


@pytest.mark.parametrize("step", [*publication.STEPS, *atomic.STEPS])
def test_a_killed_creation_leaves_nothing_or_a_whole_target(
    step: str, tmp_path: Path, run_recover: Recover
) -> None:
    _, backup = make_pair(tmp_path)
    target = tmp_path / "data" / "new.db"
    vault = tmp_path / "vault"
    times = 0
    # Every file that is written atomically passes these steps: kill at each in turn.
    while crash_at(step, times := times + 1, target, backup, vault) == KILLED:
        if target.exists():
            assert len(read_all(target)["observations"]) == 1
            target.unlink()
    assert times > 1
    assert len(read_all(target)["observations"]) == 1
    run_recover(target, backup)
    assert list(target.parent.glob(".*")) == []


def test_an_atomic_write_syncs_before_it_renames_and_the_folder_after(tmp_path: Path) -> None:
    seen: list[str] = []
    with atomic.observe(seen.append):
        atomic.write_file(tmp_path / "a", b"new")
    assert seen == list(atomic.STEPS)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
