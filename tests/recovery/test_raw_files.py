"""Raw files: brought over by content, each environment in its own folder, losses named."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from neotoma_core.files import atomic
from neotoma_core.files.atomic import observe
from tests.conftest import Recover
from tests.support.databases import USER, make_database, source

CONTENT = b"an invented receipt"


def name_of(content: bytes) -> str:
    return f"{USER}/{hashlib.sha256(content).hexdigest()}"


def put(folder: Path, content: bytes, name: str | None = None) -> Path:
    path = folder / (name or name_of(content))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def database(path: Path, *contents: bytes) -> Path:
    rows = [
        source(f"s{place}", storage_url=name_of(content), content_hash=name_of(content)[-64:])
        for place, content in enumerate(contents)
    ]
    return make_database(path, {"sources": rows})


@pytest.mark.parametrize(
    ("name", "folder"), [("neotoma.prod.db", "sources_prod"), ("neotoma.db", "sources")]
)
def test_each_environment_keeps_its_own_folder(
    name: str, folder: str, tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "data" / name)
    backup = database(tmp_path / "backups" / name, CONTENT)
    put(tmp_path / "backups" / folder, CONTENT)
    other = {"sources_prod": "sources", "sources": "sources_prod"}[folder]
    put(tmp_path / "backups" / other, b"of the other environment")
    report = run_recover(target, backup)
    assert report.raw_files.added == 1
    assert (tmp_path / "data" / folder / name_of(CONTENT)).read_bytes() == CONTENT
    assert not (tmp_path / "data" / other).exists()


def test_neotomas_own_backup_folder_calls_production_files_sources(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "data" / "neotoma.prod.db")
    folder = tmp_path / "neotoma-backup"
    backup = database(folder / "neotoma.prod.db", CONTENT)
    (folder / "manifest.json").write_text("{}")
    put(folder / "sources", CONTENT)
    run_recover(target, backup)
    assert (tmp_path / "data" / "sources_prod" / name_of(CONTENT)).read_bytes() == CONTENT


@pytest.mark.parametrize("many", [3, 150])
def test_raw_files_are_on_the_disk_before_rows_that_name_them_are_written(
    many: int, tmp_path: Path, run_recover: Recover, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = [b"receipt %d" % number for number in range(many)]
    target = make_database(tmp_path / "data" / "neotoma.prod.db")
    backup = database(tmp_path / "b" / "neotoma.prod.db", *contents)
    for content in contents:
        put(tmp_path / "b" / "sources_prod", content)
    folder = target.parent / "sources_prod"
    forced: set[int] = set()
    left: list[int] = []
    one_file, whole = os.fsync, atomic.sync_file_system

    def force_one(descriptor: int) -> None:
        forced.add(os.fstat(descriptor).st_ino)
        one_file(descriptor)

    def force_all(place: Path) -> bool:
        forced.update(path.stat().st_ino for path in (folder, *folder.rglob("*")))
        return whole(place)

    def note(step: str) -> None:
        if step == "locked":
            there = {path.stat().st_ino for path in (folder, *folder.rglob("*"))}
            assert len(there) == many + 2
            left.append(len(there - forced))

    monkeypatch.setattr(os, "fsync", force_one)
    monkeypatch.setattr(atomic, "sync_file_system", force_all)
    with observe(note):
        run_recover(target, backup)
    assert left == [0]


def test_missing_and_damaged_files_are_named_and_not_copied(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "data" / "neotoma.prod.db")
    backup = database(tmp_path / "b" / "neotoma.prod.db", CONTENT, b"lost", b"damaged")
    put(tmp_path / "b" / "sources_prod", CONTENT)
    put(tmp_path / "b" / "sources_prod", b"noise", name_of(b"damaged"))
    raw = run_recover(target, backup).raw_files
    assert raw.missing == (name_of(b"lost"),)
    assert raw.damaged == (name_of(b"damaged"),)
    assert not (tmp_path / "data" / "sources_prod" / name_of(b"damaged")).exists()


def test_a_damaged_file_of_the_target_is_replaced_and_kept_as_evidence(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = database(tmp_path / "data" / "neotoma.prod.db", CONTENT)
    put(tmp_path / "data" / "sources_prod", b"noise", name_of(CONTENT))
    backup = database(tmp_path / "b" / "neotoma.prod.db", CONTENT)
    put(tmp_path / "b" / "sources_prod", CONTENT)
    report = run_recover(target, backup)
    assert report.raw_files.repaired == (name_of(CONTENT),)
    assert (tmp_path / "data" / "sources_prod" / name_of(CONTENT)).read_bytes() == CONTENT
    aside = Path(report.evidence.folder) / "raw_files_damaged" / name_of(CONTENT)
    assert aside.read_bytes() == b"noise"


def test_the_incident_ends_with_every_raw_file_that_any_copy_had(
    unpacked: Path, incident: Path, run_recover: Recover
) -> None:
    for place in ("data", "backups"):
        shutil.copytree(unpacked / place / "sources_prod", incident / place / "sources_prod")
    report = run_recover(
        incident / "data/neotoma.prod.db",
        incident / "backups/neotoma.prod.db.db",
        incident / "backups/neotoma.prod 2.db",
    )
    had = {
        path.name
        for place in ("data", "backups")
        for path in (unpacked / place / "sources_prod").rglob("*")
        if path.is_file()
    }
    has = {
        path.name: path for path in (incident / "data/sources_prod").rglob("*") if path.is_file()
    }
    assert (len(had), report.raw_files.added) == (6132, 6048)
    assert set(has) == had
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == name for name, path in has.items())
    assert report.evidence.raw_files == 6110 + 84
