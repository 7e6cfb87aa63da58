"""A backup: whole, private, self-contained, of the right database, and the database untouched."""

import hashlib
import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.archive.append import ArchiveRequest, append_database, default_archive
from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.errors import (
    OtherDatabase,
    TargetError,
    TargetForeign,
    TargetRuined,
    VaultLocked,
)
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.private_copy import private_copy
from neotoma_core.vault import folder as vaults
from neotoma_core.vault.backups import list_backups
from neotoma_core.vault.manifests import manifest_of, seal_line
from tests.recovery.test_inputs import facts_of, server_on
from tests.support.backing_up import HASH, PERMISSIVE, Vault, copy_vault, fill, small_vault
from tests.support.databases import insert, make_database, observation, read_all


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault with one backup."""
    world = small_vault(tmp_path_factory.mktemp("template"))
    world.back_up(logs=True)
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


def test_a_backup_is_taken_proven_and_restores_to_the_byte(tmp_path: Path) -> None:
    world = small_vault(tmp_path)
    before = facts_of(world.folder / "data")
    report = world.back_up()
    assert facts_of(world.folder / "data") == before
    assert (report.observations, report.entities) == (40, 40)
    assert report.drill is not None
    assert (report.drill.outcome, report.drill.level) == ("pass", "recomputed")
    elsewhere = tmp_path / "elsewhere.prod.db"
    world.restore("1", elsewhere)
    assert elsewhere.read_bytes() == world.target.read_bytes()


def test_the_manifest_says_what_is_in_it(world: Vault) -> None:
    manifest = world.backups[0].manifest
    stored = world.place() / manifest.database.name
    assert manifest.database.sha256 == hashlib.sha256(stored.read_bytes()).hexdigest()
    assert manifest.database.plain_size == world.target.stat().st_size
    assert manifest.fingerprints["observations"].rows == 40
    assert manifest.counts.types == {"note": 40}
    assert manifest.counts.newest is not None
    assert (manifest.kind, manifest.environment) == ("manual", "production")
    assert manifest.versions[1] == "v0.22.2"
    assert manifest.raw_files.count == 1


def test_only_its_owner_can_read_it(world: Vault) -> None:
    for folder, files in (("backups", 4), ("blobs", 1)):
        found = list((world.vault / folder).rglob("*"))
        modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in found}
        assert modes == {(True, 0o700), (False, 0o600)}
        assert sum(path.is_file() for path in found) == files
    assert world.backups[0].manifest.permissions == "files 0600, folders 0700"


def test_raw_files_are_kept_once_for_all_backups(world: Vault) -> None:
    blob = world.vault / "blobs" / HASH[:2] / HASH
    before = blob.stat()
    world.back_up()
    after = blob.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len([p for p in (world.vault / "blobs").rglob("*") if p.is_file()]) == 1


def test_a_damaged_or_missing_raw_file_is_counted(world: Vault) -> None:
    other = "f" * 64
    (world.folder / "data/sources_prod/u1" / other).write_bytes(b"not that")
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        insert(connection, "sources", {"id": "s2", "storage_url": f"u1/{'e' * 64}"})
    report = world.back_up()
    assert (report.raw_files_kept, report.raw_files_damaged, report.raw_files_missing) == (1, 1, 1)


def test_logs_are_kept_on_request(tmp_path: Path) -> None:
    world = small_vault(tmp_path)
    log = world.folder / "data/logs_prod/events/today.log"
    log.parent.mkdir(parents=True)
    log.write_text("started")
    assert world.back_up(logs=True).logs == 1
    assert world.back_up().logs == 0
    assert (world.place(1) / "logs.tar.zst").exists()


def test_rows_only_in_the_log_of_a_server_are_in_the_backup(world: Vault) -> None:
    with server_on(world.target):
        before = facts_of(world.target.parent)
        report = world.back_up()
        after = facts_of(world.target.parent)
    assert report.observations == 41
    assert {n: f for n, f in before.items() if "-shm" not in n} == {
        n: f for n, f in after.items() if "-shm" not in n
    }
    restored = world.folder / "restored.prod.db"
    world.restore("2", restored)
    assert len(read_all(restored)["observations"]) == 41
    assert not restored.with_name(restored.name + "-wal").exists()


def test_another_database_is_refused_wherever_it_is(world: Vault) -> None:
    other = make_database(world.folder / "other.db", {"observations": [observation("x1")]})
    with pytest.raises(OtherDatabase):
        world.back_up(target=other)
    fill(world.target, 40, first=5_000)
    with pytest.raises(OtherDatabase):
        world.back_up()
    assert len(world.backups) == 1


def test_the_same_database_is_known_at_another_place(world: Vault) -> None:
    moved = world.target.rename(world.folder / "moved.prod.db")
    assert world.back_up(target=moved).observations == 40


def test_what_cannot_be_backed_up_leaves_no_backup(world: Vault) -> None:
    with pytest.raises(TargetError):
        world.back_up(target=world.folder / "nowhere.db")
    other = world.folder / "photos.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE photos (id)")
    with pytest.raises(TargetForeign):
        world.back_up(target=other)
    raw = bytearray(world.target.read_bytes())
    raw[100:4096] = b"\xff" * 3996
    world.target.write_bytes(raw)
    with pytest.raises(TargetRuined):
        world.back_up()
    assert len(world.backups) == 1
    assert list((world.vault / "work").iterdir()) == []


def test_two_runs_do_not_meet(world: Vault) -> None:
    with vaults.lock_vault(world.vault), pytest.raises(VaultLocked):
        world.back_up()


def test_strange_files_are_told_and_count_for_nothing(world: Vault, tmp_path: Path) -> None:
    foreign = small_vault(tmp_path / "foreign")
    foreign.back_up()
    place = world.vault / "backups"
    shutil.copytree(world.place(), place / "a copy")
    shutil.move(foreign.place(), place / "of another vault")
    manifest = place / "of another vault" / "manifest.json"
    renamed = manifest_of(manifest.read_bytes())
    manifest.write_bytes(seal_line(replace(renamed, name="of another vault")))
    (place / "notes.txt").write_text("mine")
    (place / "empty").mkdir()
    listing = list_backups(world.vault)
    assert [backup.manifest.sequence for backup in listing.backups] == [1]
    assert listing.is_complete
    assert [one.why for one in listing.strange] == [
        f"a copy of {world.backups[0].name}",
        "no manifest",
        "not a backup's folder",
        "a backup of another vault",
    ]
    (place / "empty" / "manifest.json").write_text("{}")
    assert not list_backups(world.vault).is_complete


def test_what_was_erased_since_is_no_loss(world: Vault) -> None:
    world.back_up()
    to = ArchiveRequest(default_archive(world.vault))
    with private_copy(Whereabouts(world.target, world.vault), world.now) as copy:
        append_database(copy, to, Silent())
    gone = tuple(f"e{number:04}" for number in range(20))
    asked = EraseRequest(world.target, world.vault, entities=gone)
    with erase_run(asked, world.now + timedelta(minutes=1)) as run:
        erase(run, lambda _: True, Silent(), PERMISSIVE)

    assert world.back_up().alarms == ()
    fill(world.target, 10, first=20)
    assert world.back_up().alarms[0] == "observations: 10, usually 20"
