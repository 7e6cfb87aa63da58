"""Repeated drills: which backups are due, in which order, and what is said of those not reached."""

from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.backup.report import VerifyReport
from neotoma_core.backup.text import verify_text
from neotoma_core.backup.verify import VerifyRequest, verify_backups
from neotoma_core.errors import VaultDamaged
from neotoma_core.report.progress import Silent
from neotoma_core.schedule.drills import verify_database
from neotoma_core.vault.announcing import Alerting
from tests.support.backing_up import Vault, copy_vault, fill, small_vault

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Three backups, an hour apart; the second was never verified, the first is two hours old."""
    world = small_vault(tmp_path_factory.mktemp("template"))
    world.back_up()
    world.back_up(drill=False)
    fill(world.target, 41)
    world.back_up()
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


def verify(world: Vault, *names: str, **asked: timedelta | bool) -> VerifyReport:
    request = VerifyRequest(world.target, world.vault, names, **asked)  # type: ignore[arg-type]
    return verify_backups(request, world.now, Silent())


def numbers_of(report: VerifyReport) -> list[int]:
    return [int(drill.backup.rpartition("-")[2]) for drill in report.drills]


def test_unless_asked_only_the_newest_is_drilled(world: Vault) -> None:
    assert numbers_of(verify(world)) == [3]
    assert numbers_of(verify(world, "1")) == [1]


def test_those_longest_unverified_are_drilled_first(world: Vault) -> None:
    assert numbers_of(verify(world, all=True)) == [2, 1, 3]


def test_only_those_not_verified_for_so_long_are_due(world: Vault) -> None:
    assert numbers_of(verify(world, max_age=HOUR)) == [2, 1]
    assert (
        numbers_of(verify(world, max_age=2 * HOUR)) == []
    )  # all were drilled a moment ago, or are


def test_a_backup_whose_latest_drill_failed_is_due_whenever_it_once_passed(world: Vault) -> None:
    database = world.place(3) / "database.db.zst"
    good = database.read_bytes()
    database.write_bytes(b"?" + good[1:])
    assert verify(world, "3").outcome == "fail"
    database.write_bytes(good)
    assert 3 in numbers_of(verify(world, max_age=100 * HOUR))
    assert world.backups[2].is_good


def test_what_there_was_no_time_for_is_named_and_nothing_is_proven_of_it(world: Vault) -> None:
    report = verify(world, all=True, max_duration=timedelta(0))
    assert (report.outcome, report.drills) == ("inconclusive", ())
    assert [name[-1] for name in report.not_reached] == ["2", "1", "3"]
    assert not world.backups[1].state.is_verified


def test_one_drill_that_failed_is_told_beside_those_that_passed(world: Vault) -> None:
    (world.place(1) / "database.db.zst").unlink()
    assert verify(world, all=True).outcome == "fail"


@pytest.mark.parametrize(("number", "asked"), [(3, {}), (1, {"all": True})])
def test_what_may_be_a_backup_and_cannot_be_read_is_named(
    number: int, asked: dict[str, bool], world: Vault
) -> None:
    manifest = world.place(number) / "manifest.json"
    manifest.write_bytes(b"?" + manifest.read_bytes())
    report = verify(world, **asked)
    assert report.outcome == "fail"
    assert [one.path for one in report.unread] == [str(manifest.parent)]
    assert f"{manifest.parent}: its manifest" in verify_text(report)
    request = VerifyRequest(world.target, world.vault, all=True)
    with pytest.raises(VaultDamaged, match=manifest.parent.name):
        verify_database(request, Alerting(), world.now)


def test_an_older_backup_that_cannot_be_read_says_nothing_of_the_newest(world: Vault) -> None:
    (world.place(1) / "manifest.json").unlink()
    assert verify(world).outcome == "pass"


def test_where_no_backup_can_be_read_none_is_said_to_be_missing(world: Vault) -> None:
    for number in (1, 2, 3):
        (world.place(number) / "manifest.json").unlink()
        (world.place(number) / "manifest.json").mkdir()
    report = verify(world)
    assert (report.outcome, len(report.unread)) == ("inconclusive", 3)


def test_a_state_that_cannot_be_read_proves_nothing_and_is_not_replaced(world: Vault) -> None:
    state = world.place(3) / "state.json"
    state.unlink()
    state.mkdir()
    report = verify(world)
    assert report.outcome == "inconclusive"
    assert report.drills[0].reasons[0].startswith(f"{state}: ")
    assert state.is_dir()
