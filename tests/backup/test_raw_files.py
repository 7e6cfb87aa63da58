"""Raw files in backups: found wherever they lie, kept once, and never missing without a word."""

import dataclasses
import json
import os
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.backup.prune import prune_backups
from neotoma_core.backup.raw_file_check import raw_files_gone
from neotoma_core.backup.report import BackupReport
from neotoma_core.backup.retention import RetentionPolicy
from neotoma_core.backup.text import backup_text, list_text, verify_text
from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.files.atomic import Subject, observe_with_subject
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status
from neotoma_core.find.text import status_text
from neotoma_core.report.progress import Silent
from neotoma_core.report.protection import RawFilesGone
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.vault.backups import list_backups, read_raw_list
from neotoma_core.vault.manifests import manifest_of, seal_line
from tests.support.backing_up import PERMISSIVE, Vault
from tests.support.databases import USER
from tests.support.raw import database, name_of, names_in, put

MANY = tuple(f"receipt {number}".encode() for number in range(20))


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    world = Vault(tmp_path)
    database(world.target, *MANY)
    for content in MANY:
        put(world.target.parent / "sources_prod", content)
    return world


def list_files(world: Vault, number: int = 1) -> set[str]:
    manifest = world.backups[number - 1].manifest
    names = read_raw_list(world.place(number), manifest, world.folder)
    return {name.partition("/")[2] for name in names}


def counts(report: BackupReport) -> tuple[int, int, int, int]:
    return (
        report.raw_files_kept,
        report.raw_files_held,
        report.raw_files_missing,
        report.raw_files_damaged,
    )


def test_production_files_that_neotomas_restore_put_into_sources_are_kept(world: Vault) -> None:
    data = world.target.parent
    (data / "sources_prod").rename(data / "sources")
    put(data / "sources", b"of the development database")
    assert counts(world.back_up()) == (20, 0, 0, 0)
    assert list_files(world) == {name_of(content) for content in MANY}


def test_files_are_kept_from_the_configured_folder_and_from_where_they_were_before(
    world: Vault, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    for content in MANY[:5]:
        (world.target.parent / "sources_prod" / name_of(content)).unlink()
        put(raw, content)
    report = world.back_up(raw_storage=raw)
    assert counts(report) == (20, 0, 0, 0)
    assert report.raw_folders[0] == str(raw)


def test_a_backup_without_its_raw_files_passes_and_says_so_everywhere(world: Vault) -> None:
    shutil.rmtree(world.target.parent / "sources_prod")
    put(world.target.parent / "sources_prod", b"noise", name_of(MANY[0]))
    report = world.back_up()
    assert counts(report) == (0, 0, 19, 1)
    assert report.drill is not None
    said = "raw files: 19 missing, 1 damaged when it was taken"
    assert (report.drill.outcome, report.drill.findings) == ("pass", (said,))
    text = backup_text(report)
    assert said in text
    assert f"19 that the database names are missing from {world.target.parent}" in text
    assert "set NEOTOMA_RAW_STORAGE_DIR" in text
    assert "19 raw files missing; 1 raw files damaged" in list_text(world.list_backups())
    assert said in verify_text(world.verify())
    assert world.backups[0].is_good  # or rotation would never count it


def test_a_whole_backup_says_nothing_of_missing_files(world: Vault) -> None:
    report = world.back_up()
    assert report.drill is not None
    assert report.drill.findings == ()
    assert "missing" not in backup_text(report) + list_text(world.list_backups())


def test_files_that_are_gone_are_taken_from_earlier_backups(world: Vault) -> None:
    world.back_up()
    gone = [name_of(content) for content in MANY[:3]]
    for name in gone:
        (world.target.parent / "sources_prod" / name).unlink()
    report = world.back_up()
    assert counts(report) == (20, 3, 0, 0)
    assert "3 are no longer with the database" in backup_text(report)
    assert report.alarms == ()
    assert list_files(world, 2) == list_files(world, 1)
    prune_backups(world.vault, world.target, RetentionPolicy(last=1), world.now, lambda _: True)
    assert [b.manifest.sequence for b in world.backups] == [2]
    world.restore("2")
    assert names_in(world.target.parent / "sources_prod") >= set(gone)


def test_a_drop_of_raw_files_is_an_alarm_until_it_is_accepted(world: Vault) -> None:
    world.back_up()
    shutil.rmtree(world.target.parent / "sources_prod")
    report = world.back_up()
    assert report.alarms == ("raw files: 0, usually 20",)
    assert report.frozen
    assert counts(report) == (20, 20, 0, 0)
    world.accept("2")
    assert world.back_up().alarms == ()


def test_a_name_that_leads_out_of_the_folder_is_no_raw_file(tmp_path: Path) -> None:
    world = Vault(tmp_path)
    digest = name_of(MANY[0]).rpartition("/")[2]
    paths = ("../..", "..", "", ".", "a/b", "reference://host/x", "file:///x", "x:y", "..\\x")
    urls = ("internal://relationship/KNOWS", *(f"{path}/{digest}" for path in paths))
    database(world.target, MANY[0], urls=urls)
    put(world.target.parent / "sources_prod", MANY[0])
    assert counts(world.back_up()) == (1, 0, 0, 0)
    (world.target.parent / "sources_prod" / name_of(MANY[0])).unlink()
    assert counts(world.back_up()) == (1, 1, 0, 0)
    assert list_files(world, 2) == {name_of(MANY[0])}


def test_the_status_says_how_many_raw_files_are_gone_since_the_newest_backup(world: Vault) -> None:
    def status() -> tuple[int, bool, str]:
        where = SearchRequest((world.target.parent,))
        report = check_status(Whereabouts(world.target, world.vault), where, world.now, Silent())
        assert report.raw_files is not None
        return report.raw_files.gone, report.is_alarming, status_text(report, world.now)

    world.back_up()
    assert status()[:2] == (0, False)
    for content in MANY[:3]:
        (world.target.parent / "sources_prod" / name_of(content)).unlink()
    gone, alarming, text = status()
    assert (gone, alarming) == (3, False)
    assert "3 of the 20 raw files in the newest backup are no longer with the database" in text
    assert f"next: midden recover --target {world.target} --backup {world.place()}" in text
    shutil.rmtree(world.target.parent / "sources_prod")
    assert status()[:2] == (20, True)


def test_the_status_looks_where_neotoma_keeps_them(world: Vault, tmp_path: Path) -> None:
    world.back_up()
    raw = (world.target.parent / "sources_prod").rename(tmp_path / "raw")
    where = SearchRequest((world.target.parent,))
    report = check_status(
        Whereabouts(world.target, world.vault, raw_storage=raw), where, world.now, Silent()
    )
    assert report.raw_files is not None
    assert report.raw_files.gone == 0
    assert json.loads(report.to_json())["raw_files"] == dataclasses.asdict(report.raw_files)


def test_what_was_erased_since_is_not_gone(world: Vault) -> None:
    world.back_up()
    request = EraseRequest(world.target, world.vault, users=(USER,))
    with erase_run(request, world.now + timedelta(hours=1)) as run:
        erased = erase(run, lambda _: True, Silent(), PERMISSIVE)
        assert erased.erased_raw_files.removed == 20
    assert raw_files_gone(world.target, world.vault, None, world.folder) == RawFilesGone(
        str(world.place(2)), 0, 0, alarming=False
    )
    assert world.restore("1").raw_files_restored == 0
    assert names_in(world.target.parent / "sources_prod") == set()


def test_an_erasure_reaches_every_folder_but_that_of_another_database(
    world: Vault, tmp_path: Path
) -> None:
    data, raw = world.target.parent, tmp_path / "raw"
    put(data / "sources", MANY[0])
    put(raw, MANY[1])
    database(data / "neotoma.db", MANY[0])
    request = EraseRequest(world.target, world.vault, users=(USER,), raw_storage=raw)
    with erase_run(request, world.now) as run:
        erased = erase(run, lambda _: True, Silent(), PERMISSIVE)
        assert erased.erased_raw_files.removed == 21
    assert names_in(data / "sources_prod") | names_in(raw) == set()
    assert names_in(data / "sources") == {name_of(MANY[0])}
    (data / "neotoma.db").unlink()
    with erase_run(replace(request, users=(), again=True), world.now + timedelta(days=1)) as run:
        assert erase(run, lambda _: True, Silent()).erased_raw_files.removed == 1
    assert names_in(data / "sources") == set()


def blob(world: Vault, content: bytes) -> Path:
    digest = name_of(content).rpartition("/")[2]
    return world.vault / "blobs" / digest[:2] / digest


@pytest.mark.parametrize("rotten", [b"", b"recei\x00t 0"])
def test_a_raw_file_that_rotted_in_the_vault_is_healed_by_the_next_backup(
    rotten: bytes, world: Vault
) -> None:
    world.back_up()
    blob(world, MANY[0]).write_bytes(rotten)
    assert world.verify("1").outcome == "fail"
    assert counts(world.back_up()) == (20, 0, 0, 0)
    assert blob(world, MANY[0]).read_bytes() == MANY[0]
    assert world.verify("1").outcome == "pass"


def test_a_blob_has_its_name_once_its_bytes_are_on_the_disk(world: Vault) -> None:
    synced: set[int] = set()
    seen: list[tuple[bool, bool]] = []

    def note(step: str, subject: Subject) -> None:
        if step == "temp_synced" and isinstance(subject, Path) and "blobs" in subject.parts:
            named = [path for path in world.vault.glob("blobs/*/*") if path.suffix != ".tmp"]
            copies = {path.stat().st_ino for path in world.vault.glob("blobs/*/*.tmp")}
            seen.append((not named, copies <= synced and len(copies) == len(MANY)))

    def fsync(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        real(descriptor)

    real = os.fsync
    with observe_with_subject(note), pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        world.back_up()
    assert seen == [(True, True)]


@pytest.mark.parametrize("harmed", ["manifest lost", "renamed", "of another vault"])
def test_raw_files_of_what_cannot_be_told_are_not_removed(harmed: str, world: Vault) -> None:
    world.back_up()
    world.target.unlink()
    database(world.target, MANY[0])
    shutil.rmtree(world.target.parent / "sources_prod")
    put(world.target.parent / "sources_prod", MANY[0])
    world.back_up()
    world.accept("2")
    place = world.place()
    if harmed == "manifest lost":
        (place / "manifest.json").unlink()
    elif harmed == "renamed":
        place.rename(place.with_name("my old backup"))
    else:
        line = (place / "manifest.json").read_bytes()
        other = replace(manifest_of(line), vault="another")
        (place / "manifest.json").write_bytes(seal_line(other))
    report = prune_backups(
        world.vault, world.target, RetentionPolicy(last=1), world.now, lambda _: True
    )
    assert bool(report.held) is (harmed == "manifest lost")
    assert list(list_backups(world.vault).backups)[-1].manifest.raw_files.count == 1
    assert all(blob(world, content).exists() for content in MANY)
