"""Backups of a database that did not change share one file, and are each a backup all the same."""

import os
import shutil
from pathlib import Path

import pytest

from neotoma_core.backup.prune import prune_backups
from neotoma_core.backup.retention import RetentionPolicy
from neotoma_core.vault.backups import bytes_on_disk
from tests.support.backing_up import Vault, fill, small_vault


def database(world: Vault, number: int) -> Path:
    return world.place(number) / "database.db.zst"


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    """A vault with one backup."""
    world = small_vault(tmp_path)
    world.back_up()
    return world


def test_unchanged_ones_share_a_file_and_each_restores(world: Vault, tmp_path: Path) -> None:
    report = world.back_up()
    assert report.shares_with == world.backups[0].name
    assert database(world, 2).samefile(database(world, 1))
    assert world.backups[1].is_good
    names = [backup.name for backup in world.backups]
    whole = bytes_on_disk(world.vault, names)
    assert whole < bytes_on_disk(world.vault, names[:1]) + database(world, 2).stat().st_size
    gone = prune_backups(world.vault, world.target, RetentionPolicy(last=1), world.now, _yes)
    assert (gone.removed, gone.removed_bytes) == (1, whole - bytes_on_disk(world.vault, names[1:]))
    assert gone.removed_bytes < database(world, 2).stat().st_size
    assert world.verify("2").outcome == "pass"
    elsewhere = tmp_path / "elsewhere.prod.db"
    world.restore("2", elsewhere)
    assert elsewhere.read_bytes() == world.target.read_bytes()


def _yes(_: object) -> bool:
    return True


def test_a_changed_one_has_its_own_and_an_earlier_state_is_shared_again(world: Vault) -> None:
    before = world.target.read_bytes()
    fill(world.target, 41)
    assert not world.back_up().shares_with
    world.target.write_bytes(before)
    assert world.back_up().shares_with == world.backups[0].name


@pytest.mark.parametrize("damage", ["changed", "gone", "a link"])
def test_what_is_no_longer_what_was_stored_is_not_shared(damage: str, world: Vault) -> None:
    stored = database(world, 1)
    if damage == "changed":
        stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    elif damage == "gone":
        stored.unlink()
    else:
        stored.rename(world.folder / "elsewhere")
        stored.symlink_to(world.folder / "elsewhere")
    report = world.back_up(drill=False)
    assert not report.shares_with
    assert world.verify("2").outcome == "pass"


def test_a_file_system_without_links_has_a_file_for_each(
    world: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert not world.back_up(drill=False).shares_with
    assert world.verify("2").outcome == "pass"


def test_a_copy_of_the_vault_is_whole_though_it_shares_nothing(
    world: Vault, tmp_path: Path
) -> None:
    world.back_up(drill=False)
    shutil.copytree(world.folder, tmp_path / "copy")
    copy = Vault(tmp_path / "copy", world.now)
    assert not database(copy, 2).samefile(database(copy, 1))
    assert copy.verify().outcome == "pass"
