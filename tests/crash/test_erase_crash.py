"""An erasure killed at any step: nothing comes back, and the same words complete it."""

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.erasure import rows as erasing
from neotoma_core.files import atomic
from tests.conftest import NOW, recover_into
from tests.support.databases import read_all
from tests.support.erasing import World, build, find_texts, find_texts_in, signs_of
from tests.support.forks.asking import python
from tests.support.planted import ASKED, ENTITY

KILLED = 77
RUN = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.report.progress import Silent
from neotoma_core.files.atomic import observe

target, vault, entity, step, times = sys.argv[1:]
left = int(times)

def crash(reached):
    global left
    if reached == step:
        left -= 1
        if left == 0:
            os._exit(77)

with observe(crash):
    request = EraseRequest(Path(target), Path(vault), entities=(entity,))
    with erase_run(request, datetime(2026, 3, 13, tzinfo=UTC)) as run:
        erase(run, lambda _: True, Silent())
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("template"))


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    shutil.copytree(template.folder, tmp_path, dirs_exist_ok=True)
    return World(tmp_path)


def crash_at(step: str, times: int, world: World) -> int:
    words = (str(world.target), str(world.vault), ENTITY, step, str(times))
    return subprocess.run([python(), "-c", RUN, *words], check=False).returncode


@pytest.mark.parametrize("step", erasing.STEPS)
@pytest.mark.parametrize("words", ["the same", "again"])
def test_a_killed_erasure_is_completed_by_a_rerun(step: str, words: str, world: World) -> None:
    old = read_all(world.target)
    assert crash_at(step, 1, world) == KILLED
    gone = step in ("committed", "scrubbed")
    assert (read_all(world.target) == old) is not gone
    if gone:  # the rows were overwritten as they were deleted, before the file is scrubbed
        assert find_texts_in(world.target, *signs_of("entity")) == []
    report = world.erase(**(ASKED["entity"] if words == "the same" else {"again": True}))
    assert report.outcome == "erased"
    assert find_texts(world, *signs_of("entity")) == []
    assert world.erase(again=True).outcome == "unchanged"


@pytest.mark.parametrize("step", atomic.STEPS)
def test_killed_while_it_writes_to_the_vault_the_target_is_whole(step: str, world: World) -> None:
    old = read_all(world.target)
    times = 0
    while crash_at(step, times := times + 1, world) == KILLED:
        now = read_all(world.target)
        assert now == old or find_texts(world, *signs_of("entity")) == []
        if now != old:
            break
    assert times > 2  # the ledger and the description of the vault, before the target
    world.erase(again=True)
    world.erase(**ASKED["entity"])
    assert find_texts(world, *signs_of("entity")) == []


@pytest.mark.parametrize("step", ["locked", "committed"])
def test_from_the_ledger_on_nothing_brings_the_rows_back(step: str, world: World) -> None:
    assert crash_at(step, 1, world) == KILLED
    world.target.unlink()
    recover_into(world.vault)(world.target, world.backup, now=NOW + timedelta(days=3))
    raw = {path for path in world.raw.rglob("*") if any(s in str(path) for s in signs_of("entity"))}
    assert raw == set()
    world.erase(again=True)
    assert find_texts(world, *signs_of("entity")) == []
