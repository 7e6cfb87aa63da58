"""What still holds what was erased is listed, too, where only the ledger tells what it is."""

from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.take import back_up
from neotoma_core.erasure.report import ErasureReport
from neotoma_core.files.atomic import observe
from neotoma_core.report.progress import Silent
from tests.conftest import NOW
from tests.support.erasing import World, build
from tests.support.planted import ASKED


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One with evidence, a backup, and a damaged one."""
    world = build(tmp_path)
    for hours in (1, 2):
        request = BackupRequest(world.target, world.vault, drill=False)
        back_up(request, NOW + timedelta(hours=hours), Silent())
    stored = max((world.vault / "backups").glob("*/database.db.zst"))
    stored.write_bytes(stored.read_bytes()[:-9])
    return world


def folders_of(report: ErasureReport) -> set[str]:
    return {Path(held.folder).name for held in report.holding}


@pytest.mark.parametrize("killed", ["committed", "scrubbed", "never"])
def test_again_lists_the_places_that_the_first_run_listed(killed: str, world: World) -> None:
    plan = folders_of(world.erase(**ASKED["entity"], dry_run=True))
    assert any("manual" in name for name in plan)
    assert len(plan) > 2

    def kill(step: str) -> None:
        if step == killed:
            raise Killed

    try:
        with observe(kill):
            world.erase(**ASKED["entity"])
    except Killed:
        assert killed != "never"
    again = world.erase(again=True, now=NOW + timedelta(days=2))
    assert folders_of(again) == plan
    assert again.outcome == ("unchanged" if killed == "never" else "erased")
