"""A reset that can be undone: asked, backed up, proven, undone with one command."""

from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.backup.take import take_backup
from neotoma_core.comparison.losses import Loss
from neotoma_core.errors import BackupNotIntact, OtherDatabase, TargetLocked, TargetRuined
from neotoma_core.guard import guard as guarding
from neotoma_core.guard.guard import Guard
from neotoma_core.guard.reset import ResetRequest, plan_reset, reset
from neotoma_core.guard.reset_report import ResetReport
from neotoma_core.report.progress import Silent
from tests.recovery.test_inputs import facts_of, server_on
from tests.support.backing_up import HASH, Vault, fill, small_vault
from tests.support.databases import count
from tests.support.ruins import SPOILT


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    return small_vault(tmp_path)


def run(world: Vault, *, permit: bool = True, asked: list[Loss] | None = None) -> ResetReport:
    def answer(loss: Loss) -> bool:
        if asked is not None:
            asked.append(loss)
        return permit

    world.now += timedelta(hours=1)
    request = ResetRequest(world.target, world.vault, Guard(answer))
    return reset(request, world.now, Silent())


def test_a_reset_leaves_an_empty_database_a_proven_backup_and_a_way_back(world: Vault) -> None:
    before = world.target.read_bytes()
    report = run(world)
    assert (report.outcome, report.observations) == ("reset", 40)
    assert count(world.target, "observations") == 0
    assert (world.folder / "data/sources_prod/u1" / HASH).exists()
    (backup,) = world.backups
    assert (backup.manifest.kind, backup.state.is_verified) == ("before-reset", True)
    assert report.undo is not None
    world.restore(report.undo.split()[2])
    assert world.target.read_bytes() == before
    run(world)
    world.restore("1")
    assert world.target.read_bytes() == before


def test_declined_nothing_changes(world: Vault) -> None:
    before = facts_of(world.folder / "data")
    asked: list[Loss] = []
    assert run(world, permit=False, asked=asked).outcome == "declined"
    assert (
        plan_reset(
            ResetRequest(world.target, world.vault, Guard(lambda _: True)), world.now
        ).outcome
        == "declined"
    )
    assert asked[0].production == "its name says so"
    assert facts_of(world.folder / "data") == before
    assert world.backups == ()


def test_without_a_proven_backup_nothing_is_wiped(
    world: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.back_up()
    damage = world.target.read_bytes()
    real = take_backup

    def unproven(*words: object) -> object:
        report = real(*words)  # type: ignore[arg-type]
        assert report.drill is not None
        object.__setattr__(report.drill, "outcome", "fail")
        return report

    monkeypatch.setattr(guarding, "take_backup", unproven)
    with pytest.raises(BackupNotIntact):
        run(world)
    assert world.target.read_bytes() == damage


def test_a_damaged_database_is_not_wiped(world: Vault) -> None:
    SPOILT["half"](world.target)
    before, asked = world.target.read_bytes(), list[Loss]()
    with pytest.raises(TargetRuined):
        run(world, asked=asked)
    assert (world.target.read_bytes(), asked, world.backups) == (before, [], ())


def test_a_database_in_use_or_of_another_vault_is_not_wiped(world: Vault) -> None:
    with server_on(world.target), pytest.raises(TargetLocked):
        run(world)
    world.back_up()
    fill(world.target, 40, first=7_000)
    with pytest.raises(OtherDatabase):
        run(world)
    assert count(world.target, "observations") == 40


def test_the_first_backup_after_a_reset_is_an_alarm(world: Vault) -> None:
    world.back_up()
    run(world)
    report = world.back_up(expect_empty=True)
    assert report.frozen
    assert report.alarms[0] == "observations: 0, usually 40"
