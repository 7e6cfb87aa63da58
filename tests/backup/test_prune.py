"""Rotation on disk: what goes is planned, frozen after a loss, and takes only its own raw files."""

import os
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.backup.listing import accept_loss, list_vault, pin_backup, unpin_backup
from neotoma_core.backup.protection import protection_of, protection_text, record_schedule
from neotoma_core.backup.prune import prune_backups
from neotoma_core.backup.report import PruneReport
from neotoma_core.backup.retention import DEFAULT, RetentionPolicy
from neotoma_core.errors import UsageError
from neotoma_core.schedule.alerting import metrics_of
from neotoma_core.vault.backups import list_backups, write_state
from neotoma_core.vault.manifests import seal_line
from tests.support.backing_up import HASH, Vault, copy_vault, fill, small_vault

LAST = RetentionPolicy(last=1)
OTHER = "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7"  # of "world"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Three backups; the second has a raw file that no other has."""
    world = small_vault(tmp_path_factory.mktemp("template"))
    world.back_up()
    raw = world.folder / "data/sources_prod/u1" / OTHER
    raw.write_bytes(b"world")
    world.back_up()
    raw.unlink()
    world.back_up()
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


def prune(world: Vault, policy: RetentionPolicy = LAST, *, apply: bool = True) -> PruneReport:
    return prune_backups(world.vault, world.target, policy, world.now, lambda _: apply)


def sequences(world: Vault) -> list[int]:
    return [backup.manifest.sequence for backup in world.backups]


def lose(world: Vault) -> None:
    """Wipe the database but for two observations that were known, and back up what is left."""
    fill(world.target, 2)
    assert world.back_up().frozen


def test_a_plan_removes_nothing(world: Vault) -> None:
    report = prune(world, apply=False)
    assert (report.outcome, report.removed) == ("planned", 2)
    assert sequences(world) == [1, 2, 3]


def test_what_goes_takes_only_raw_files_that_nothing_else_needs(world: Vault) -> None:
    report = prune(world)
    assert (report.outcome, report.removed, report.blobs_removed) == ("pruned", 2, 1)
    assert sequences(world) == [3]
    assert (world.vault / "blobs" / HASH[:2] / HASH).exists()
    assert not (world.vault / "blobs" / OTHER[:2] / OTHER).exists()
    assert world.verify().outcome == "pass"
    assert prune(world).outcome == "unchanged"


def test_nothing_goes_that_is_not_the_vaults_own(world: Vault, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    strange = [
        outside / ("ab" * 32),
        world.vault / "blobs" / OTHER[:2] / "note.txt",
        world.vault / "blobs" / "zz" / OTHER,
    ]
    for path in strange:
        path.parent.mkdir(exist_ok=True)
        path.write_text("another's")
    (world.vault / "blobs" / "ab").symlink_to(outside)
    assert prune(world).blobs_removed == 1
    assert [path.read_text() for path in strange] == ["another's"] * 3


def test_pinned_ones_stay_until_unpinned(world: Vault) -> None:
    pin_backup(world.vault, "1", "before the move")
    prune(world)
    assert sequences(world) == [1, 3]
    unpin_backup(world.vault, "1")
    prune(world)
    assert sequences(world) == [3]


def test_after_a_loss_nothing_goes_until_it_is_accepted(world: Vault) -> None:
    lose(world)
    report = prune(world)
    assert "frozen" in report.held
    assert sequences(world) == [1, 2, 3, 4]
    assert list_vault(world.vault, world.now).listed[3].standing == "lossy"
    accept_loss(world.vault, "4", "a test database", world.now)
    prune(world)
    assert sequences(world) == [4]


def test_after_a_recovery_rotation_goes_on_and_the_loss_displaces_nothing(world: Vault) -> None:
    lose(world)
    world.restore("3")
    assert world.back_up().alarms == ()
    prune(world, RetentionPolicy(last=2))
    assert sequences(world) == [3, 4, 5]  # the lossy one is counted by itself


def test_a_loss_is_accepted_with_a_reason_and_only_where_there_is_one(world: Vault) -> None:
    lose(world)
    with pytest.raises(UsageError, match="no reason"):
        accept_loss(world.vault, "4", " ", world.now)
    with pytest.raises(UsageError, match="nothing is missing"):
        accept_loss(world.vault, "1", "why", world.now)


def test_an_unverified_backup_displaces_no_good_one(world: Vault) -> None:
    world.back_up(drill=False)
    prune(world)
    assert sequences(world) == [3, 4]


@pytest.mark.parametrize("file", ["manifest.json", "state.json"])
def test_nothing_goes_while_something_cannot_be_read(file: str, world: Vault) -> None:
    (world.place(2) / file).write_bytes(b"{}")
    report = prune(world)
    assert "cannot be read" in report.held
    assert len(list((world.vault / "backups").iterdir())) == 3


def test_nothing_goes_while_it_cannot_be_told_which_raw_files_are_needed(world: Vault) -> None:
    (world.place(3) / "raw_files.json.zst").write_bytes(b"?")
    assert "cannot be read" in prune(world).held
    assert sequences(world) == [1, 2, 3]


def test_planted_and_future_dated_files_displace_nothing_and_stay(world: Vault) -> None:
    place = world.vault / "backups"
    (place / "neotoma.prod.db").write_bytes(b"mine")
    future = world.backups[2]
    moved = replace(
        future.manifest, name="zzz", sequence=9, taken_at=world.now + timedelta(days=400)
    )
    shutil.copytree(world.place(3), place / "zzz")
    (place / "zzz" / "manifest.json").write_bytes(seal_line(moved))
    (place / "zzz" / "state.json").write_bytes(seal_line(future.state))
    prune(world)
    assert sequences(world) == [3, 9]
    assert (place / "neotoma.prod.db").exists()


def test_a_policy_that_keeps_nothing_is_refused(world: Vault) -> None:
    with pytest.raises(UsageError):
        prune(world, RetentionPolicy())
    assert prune(world, DEFAULT).removed == 0


def test_file_times_count_for_nothing(world: Vault) -> None:
    os.utime(world.place(3), (0, 0))
    prune(world)
    assert sequences(world) == [3]


def test_protection_says_how_a_database_stands(world: Vault) -> None:
    protection = protection_of(world.vault, world.now)
    assert (protection.good, protection.backups, protection.level) == (3, 3, "recomputed")
    assert (protection.frozen, protection.incomplete, protection.overdue) == (False, False, None)
    later = protection_of(world.vault, world.now + timedelta(days=3))
    assert later.overdue == timedelta(days=2)
    assert "OVERDUE by 2 d 0 h" in protection_text(later)
    record_schedule(world.vault, timedelta(days=7))
    assert protection_of(world.vault, world.now + timedelta(days=3)).overdue is None
    lose(world)
    lost = protection_of(world.vault, world.now)
    assert (lost.frozen, lost.drop) == (True, 0.95)
    gauges = {name: values for name, (_, values) in metrics_of(lost).items()}
    assert gauges["midden_rotation_frozen"] == {'{vault="vault"}': 1.0}
    assert gauges["midden_good_copies"] == {'{vault="vault"}': 3.0}
    assert protection_of(world.folder / "nowhere", world.now).overdue is not None


def test_a_state_is_written_by_whoever_knows_it(world: Vault) -> None:
    state = world.backups[0].state
    write_state(world.vault, world.backups[0].name, replace(state, drop=0.5))
    assert list_backups(world.vault).backups[0].state.drop == 0.5
