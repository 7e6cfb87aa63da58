"""A backup takes a database's place: proven first, nothing lost, raw files where they belong."""

import shutil
import sqlite3
import tarfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.comparison.losses import Loss
from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.errors import (
    BackupDamaged,
    BackupNotIntact,
    DatabaseMismatch,
    EnvironmentMismatch,
    TargetLocked,
    UsageError,
)
from neotoma_core.guard.guard import Guard
from neotoma_core.report.progress import Silent
from neotoma_core.restore.restore import RestoreRequest, plan_restore, restore
from neotoma_core.restore.sources import find_source
from tests.conftest import FIXTURES
from tests.recovery.test_inputs import facts_of, server_on
from tests.support.backing_up import HASH, Vault, copy_vault, fill, small_vault
from tests.support.databases import count, read_all


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    world = small_vault(tmp_path_factory.mktemp("template"))
    world.back_up()
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


@pytest.mark.parametrize("words", ["1", "latest", "2026-03-12T10", "folder"])
def test_a_wiped_database_comes_back_and_can_go_back(words: str, world: Vault) -> None:
    old = world.target.read_bytes()
    fill(world.target, 2)
    wiped = world.target.read_bytes()
    report = world.restore(str(world.place()) if words == "folder" else words)
    assert world.target.read_bytes() == old
    assert report.undo is not None
    world.restore(report.undo.split()[2])
    assert world.target.read_bytes() == wiped


def test_an_old_log_never_replays_over_a_restored_database(world: Vault) -> None:
    before = read_all(world.target)
    wal = world.target.with_name(world.target.name + "-wal")
    with server_on(world.target):
        database, log = world.target.read_bytes(), wal.read_bytes()
    world.target.write_bytes(database)
    wal.write_bytes(log)  # what a killed server leaves
    report = world.restore("1")
    assert not wal.exists()
    assert read_all(world.target) == before
    assert report.undo is not None
    evidence = Path(report.undo.split()[2])
    assert (evidence / "target" / wal.name).read_bytes() == log


@pytest.mark.parametrize("damage", ["header", "no database", "empty"])
def test_a_ruined_database_is_replaced_and_its_log_with_it(damage: str, world: Vault) -> None:
    before = world.target.read_bytes()
    raw = bytearray(before)
    raw[:100] = b"\x00" * 100
    ruined = {"header": bytes(raw), "no database": b"gone", "empty": b""}[damage]
    world.target.write_bytes(ruined)
    wal = world.target.with_name(world.target.name + "-wal")
    wal.write_bytes(b"old")
    world.restore("1")
    assert world.target.read_bytes() == before
    assert not wal.exists()


def test_a_database_that_a_server_holds_is_refused(world: Vault) -> None:
    with server_on(world.target), pytest.raises(TargetLocked):
        world.restore("1")


@pytest.mark.parametrize("file", ["database.db.zst", "raw_files.json.zst", "manifest.json"])
def test_a_damaged_backup_is_refused_before_anything_moves(file: str, world: Vault) -> None:
    path = world.place() / file
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    before = facts_of(world.folder / "data")
    with pytest.raises(BackupNotIntact):
        world.restore(str(path.parent))
    assert facts_of(world.folder / "data") == before
    assert not list((world.vault / "evidence").glob("*"))


def test_raw_files_come_back_to_the_folder_of_the_environment(world: Vault) -> None:
    raw = world.folder / "data/sources_prod/u1" / HASH
    raw.unlink()
    assert world.restore("1").raw_files_restored == 1
    assert raw.read_bytes() == b"hello"
    elsewhere = world.folder / "dev" / "neotoma.db"
    elsewhere.parent.mkdir()
    with pytest.raises(EnvironmentMismatch):
        world.restore("1", elsewhere)
    world.restore("1", elsewhere, allow_environment_mismatch=True)
    assert (world.folder / "dev/sources/u1" / HASH).read_bytes() == b"hello"


def test_a_raw_file_that_is_damaged_in_the_vault_is_not_given_its_name(world: Vault) -> None:
    (world.vault / "blobs" / HASH[:2] / HASH).write_bytes(b"other")
    (world.folder / "data/sources_prod/u1" / HASH).unlink()
    assert world.restore("1").raw_files_lost == 1
    assert not (world.folder / "data/sources_prod/u1" / HASH).exists()


def test_neotomas_own_backups_restore_to_the_right_folder(tmp_path: Path) -> None:
    with tarfile.open(FIXTURES / "neotoma_backup.tar.xz") as bundle:
        bundle.extractall(tmp_path, filter="data")
    (folder,) = (tmp_path / "backups").iterdir()
    world = Vault(tmp_path)
    world.target.parent.mkdir()
    report = world.restore(str(folder))
    assert count(world.target, "observations") == 84
    assert report.raw_files_restored == len(list(folder.glob("sources/*/*"))) > 40
    assert not (world.target.parent / "sources").exists()
    assert len(list(world.target.parent.glob("sources_prod/*/*"))) == report.raw_files_restored
    copy = folder / "neotoma.prod.db"
    copy.write_bytes(copy.read_bytes()[:-1] + b"x")
    with pytest.raises(BackupNotIntact):
        world.restore(str(folder))


def test_what_names_no_backup_is_refused(world: Vault) -> None:
    for words in ("7", "nothing", "2027", str(world.folder)):
        with pytest.raises(UsageError):
            world.restore(words)


def test_a_copy_that_nothing_proves_is_refused_where_sqlite_finds_damage(world: Vault) -> None:
    copy = Path(shutil.copy(world.target, world.folder / "copy.db"))
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("CREATE INDEX lying ON observations (entity_id)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'entity_id', 'id') WHERE name = 'lying'"
        )
    before = facts_of(world.folder / "data")
    with pytest.raises(BackupDamaged):
        world.restore(str(copy))
    assert facts_of(world.folder / "data") == before


def test_losing_nearly_everything_is_asked_and_backed_up_first(world: Vault) -> None:
    fill(world.target, 900)
    world.back_up()
    asked: list[Loss] = []

    def permit(loss: Loss) -> bool:
        asked.append(loss)
        return len(asked) > 1

    request = RestoreRequest(
        find_source("1", world.vault), world.target, world.vault, guard=Guard(permit)
    )
    assert restore(request, world.now, Silent()).outcome == "declined"
    assert count(world.target, "observations") == 900
    assert restore(request, world.now, Silent()).outcome == "restored"
    assert count(world.target, "observations") == 40
    assert (asked[0].observations, asked[0].production) == (860, "its name says so")
    assert [b.manifest.kind for b in world.backups] == ["manual", "manual", "before-restore"]
    assert world.backups[2].state.is_verified


def test_what_was_erased_does_not_come_back_with_a_backup(tmp_path: Path) -> None:
    world = small_vault(tmp_path)
    world.back_up()
    request = EraseRequest(world.target, world.vault, entities=("e0003",))
    with erase_run(request, world.now + timedelta(hours=1)) as run:
        erase(run, lambda _: True, Silent())
    asked = RestoreRequest(find_source("1", world.vault), world.target, world.vault)
    planned = plan_restore(asked, world.now + timedelta(hours=1))
    report = world.restore("1")
    assert report.erased == planned.erased > 0
    with closing(sqlite3.connect(world.target)) as connection:
        ids = {i for (i,) in connection.execute("SELECT entity_id FROM observations")}
    assert "e0003" not in ids
    assert len(ids) == 39


def test_a_backup_that_was_copied_elsewhere_restores(world: Vault) -> None:
    elsewhere = shutil.copytree(world.place(), world.folder / "usb stick")
    before = world.target.read_bytes()
    fill(world.target, 3)
    assert world.restore(str(elsewhere)).outcome == "restored"
    assert world.target.read_bytes() == before


def test_a_dry_run_says_what_it_would_change_and_refuses_what_the_run_would(world: Vault) -> None:
    fill(world.target, 3, first=38)
    before = facts_of(world.folder / "data")
    request = RestoreRequest(find_source("1", world.vault), world.target, world.vault)
    (seen,) = (d for d in plan_restore(request, world.now).differences if d.table == "observations")
    assert (seen.inserted, seen.removed, seen.changed) == (38, 1, 0)
    assert seen.removed_ids == ("o0040",)
    assert facts_of(world.folder / "data") == before
    fill(world.target, 40, first=5_000)
    with pytest.raises(DatabaseMismatch):
        plan_restore(request, world.now)
