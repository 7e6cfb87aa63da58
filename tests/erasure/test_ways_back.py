"""What was erased stays out on every way back: raw files, logs, archives, other vaults."""

import shlex
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import zstandard

from neotoma_core.archive.append import ArchiveRequest
from neotoma_core.archive.report import ArchiveReport
from neotoma_core.archive.steps import archive_target
from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.backup.report import BackupReport
from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.take import back_up
from neotoma_core.backup.text import backup_text
from neotoma_core.erased.hashed import SALT_BYTES, ErasedIds, hash_ids
from neotoma_core.erasure.text import plan_text
from neotoma_core.errors import UsageError
from neotoma_core.export.request import ExportRequest
from neotoma_core.export.steps import export_tables
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status
from neotoma_core.history.reading import entity_history
from neotoma_core.report.progress import Silent
from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
from neotoma_core.restore.report import RestoreReport
from neotoma_core.restore.restore import RestoreRequest, restore
from neotoma_core.restore.sources import find_source
from neotoma_core.runs.begin import Whereabouts
from tests.conftest import NOW, recover_into
from tests.support.backing_up import PERMISSIVE
from tests.support.databases import insert_all, observation
from tests.support.erasing import World, build, find_texts, find_texts_in, signs_of
from tests.support.planted import ASKED, ENTITY, MARKS, OTHER_USER, PLANTED, name_of, put, store

LATER = NOW + timedelta(days=2)
SECRET = name_of(PLANTED["entity"])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = build(tmp_path_factory.mktemp("template"))
    # Of the entity that will go, and long gone from the database when it does.
    insert_all(
        world.backup,
        {
            "sources": [store("src-gone-e-old", "planted-lighthouse-41 of old")],
            "observations": [observation("obs-gone-e-old", ENTITY, source_id="src-gone-e-old")],
        },
    )
    put(world.backup.parent / "sources", "planted-lighthouse-41 of old")
    return world


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    shutil.copytree(template.folder, tmp_path / "world")
    return World(tmp_path / "world")


def take_backup(world: World, now: datetime = LATER, *, logs: bool = False) -> BackupReport:
    request = BackupRequest(world.target, world.vault, drill=False, logs=logs)
    return back_up(request, now, Silent())


def put_back(
    world: World, source: str | Path, vault: Path | None = None, now: datetime = LATER
) -> RestoreReport:
    place = vault or world.vault
    found = find_source(str(source), place, world.target)
    request = RestoreRequest(found, world.target, place, guard=PERMISSIVE)
    return restore(request, now, Silent())


def archive_again(world: World, to: Path, now: datetime = LATER) -> ArchiveReport:
    return archive_target(world.target, world.vault, ArchiveRequest(to), now, Silent())


@pytest.mark.parametrize("source", ["1", "old", "old/neotoma.db"])
def test_raw_files_of_rows_that_are_left_out_do_not_come_back(source: str, world: World) -> None:
    shutil.copyfile(world.backup, world.target)
    put(world.raw, "planted-lighthouse-41 of old")
    take_backup(world)
    world.execute(
        world.target,
        "DELETE FROM observations WHERE id = 'obs-gone-e-old'",
        "DELETE FROM sources WHERE id = 'src-gone-e-old'",
    )
    world.erase(now=LATER, **ASKED["entity"])
    (world.raw / name_of("planted-lighthouse-41 of old")).unlink()
    assert put_back(world, world.folder / source if source != "1" else "1").erased > 0
    assert find_texts(world, *signs_of("entity")) == []
    assert (world.raw / name_of("of two")).exists()


def test_a_backup_leaves_out_what_is_erased_and_still_on_the_disk(world: World) -> None:
    world.erase(**ASKED["entity"])
    put(world.raw, PLANTED["entity"])
    put(world.raw, PLANTED["entity"], OTHER_USER)  # the same bytes by another name
    report = take_backup(world)
    assert report.erased_left_out.raw_files == 2
    text = backup_text(report)
    assert "2 raw files of what was erased are still there: left out" in text
    assert f"midden erase --again --target {world.target}" in text
    assert not list((world.vault / "blobs").glob(f"*/{SECRET[-64:]}"))
    again = world.erase(again=True, now=LATER)
    assert again.erased_raw_files.removed == 2
    assert take_backup(world, LATER + timedelta(hours=1)).erased_left_out.raw_files == 0


def test_what_was_stored_anew_since_is_kept(world: World) -> None:
    world.erase(**ASKED["entity"])
    put(world.raw, PLANTED["entity"], OTHER_USER)
    insert_all(world.target, {"sources": [store("src-new", PLANTED["entity"], OTHER_USER)]})
    assert take_backup(world).erased_left_out.raw_files == 0
    assert list((world.vault / "blobs").glob(f"*/{SECRET[-64:]}"))
    assert world.erase(again=True, now=LATER).erased_raw_files.removed == 0


def test_a_log_that_names_what_was_erased_is_not_backed_up(world: World) -> None:
    logs = world.target.parent / "logs"
    (logs / "events").mkdir(parents=True)
    (logs / "events" / "then.log").write_text(f'{{"a":1}}\n{{"entity_id":"{ENTITY}"}}\n')
    (logs / "plain.log").write_text(f"stored entity:{ENTITY}, as asked\n")
    (logs / "other.log").write_text("stored entity:ent-keep, as asked\n")
    assert take_backup(world, logs=True).logs == 3
    world.erase(now=LATER, **ASKED["entity"])
    report = take_backup(world, LATER + timedelta(hours=1), logs=True)
    assert report.logs == 1
    telling = tuple(str(logs / name) for name in ("events/then.log", "plain.log"))
    assert report.erased_left_out.logs == telling
    assert f"remove it with: rm {logs / 'plain.log'}" in backup_text(report)


def test_an_archive_does_not_take_back_what_was_erased(world: World, tmp_path: Path) -> None:
    kept = shutil.copyfile(world.target, tmp_path / "kept.db")
    world.erase(**ASKED["entity"])
    shutil.copyfile(kept, world.target)  # as a program that syncs files does
    report = archive_again(world, tmp_path / "archive")
    assert {f.kind for f in report.findings} == {"erased-in-target"}
    archive = open_archive(tmp_path / "archive")
    ids = [str(read_table(archive, t, ("id",)).rows.to_dicts()) for t in ("sources", "entities")]
    assert "ent-keep" in ids[1]
    assert [text for text in ids if MARKS["entity"] in text] == []


@pytest.mark.parametrize("place", ["vault/archive", "elsewhere"])
def test_nothing_erased_comes_out_of_an_archive(place: str, world: World) -> None:
    archive = world.target.parent / place
    archive_again(world, archive)
    world.erase(now=LATER, **ASKED["entity"])
    other = world.folder / "other vault" if place == "vault/archive" else world.vault
    asked = RestoreArchiveRequest(archive, world.target, other, guard=PERMISSIVE)
    done = restore_archive(asked, LATER, lambda _: True, Silent())
    assert done.erased > 0
    assert find_texts_in(world.target, *signs_of("entity")) == []
    to = world.folder / "exported"
    export_tables(ExportRequest(to, other, archive=archive), LATER, Silent())
    for path in sorted(to.rglob("*.parquet")):
        assert MARKS["entity"] not in str(duckdb.read_parquet(str(path)).fetchall()), path
    with pytest.raises(UsageError, match="no observation of entity"):
        entity_history(archive, ENTITY, vault=other)


@pytest.mark.parametrize("way", ["restore", "recover"])
def test_the_ledger_of_the_vault_that_a_backup_is_in_counts_too(way: str, world: World) -> None:
    backup = Path(take_backup(world).folder)
    world.erase(now=LATER, **ASKED["entity"])
    new = world.folder / "new vault"
    if way == "restore":
        put_back(world, backup, new)
    else:
        recover_into(new)(world.target, backup / "database.db.zst", now=LATER)
    assert find_texts(world, *signs_of("entity")) == []


def test_ids_of_several_ledgers_are_known() -> None:
    def ledger(salt: int, *ids: str) -> ErasedIds:
        key = bytes([salt]) * SALT_BYTES
        return ErasedIds(key, {"entities": frozenset(h for _, h in hash_ids(key, "entities", ids))})

    both = replace(ledger(1, "a", "b"), others=(ledger(2, "b", "c"),))
    assert sorted(both.among("entities", ["a", "b", "c", "d"])) == ["a", "b", "c"]
    assert both.kinds == {"entities"}
    assert replace(ErasedIds(), others=(ledger(2, "c"),))
    assert not replace(ErasedIds(), others=(ErasedIds(),))


@pytest.mark.parametrize("what", ["entity", "observation", "user"])
def test_a_database_does_not_lack_what_was_erased(what: str, world: World) -> None:
    take_backup(world)
    where = SearchRequest((world.folder,))
    before = check_status(Whereabouts(world.target, world.vault), where, LATER, Silent()).drop
    world.erase(now=LATER, **ASKED[what])
    drop = check_status(Whereabouts(world.target, world.vault), where, LATER, Silent()).drop
    assert (before.verdict, before.lacks) == ("lacking", 1)  # what is only in the old copy
    assert (drop.verdict, drop.lacks) == (("whole", 0) if what == "entity" else ("lacking", 1))
    world.execute(world.target, "DELETE FROM observations WHERE id = 'obs-keep-2'")
    lost = check_status(Whereabouts(world.target, world.vault), where, LATER, Silent()).drop
    assert lost.lacks == drop.lacks + 1


def plain(path: Path) -> bytes:
    """Return all that is in a file, unpacked."""
    if path.suffix == ".zst":
        with path.open("rb") as packed:
            return zstandard.ZstdDecompressor().stream_reader(packed).read()
    if path.suffix == ".parquet":
        return str(duckdb.read_parquet(str(path)).fetchall()).encode()
    return path.read_bytes()


def test_what_still_holds_it_is_listed_with_what_removes_it(world: World) -> None:
    logs = world.target.parent / "logs"
    logs.mkdir()
    (logs / "then.log").write_text(f"{ENTITY} {PLANTED['entity']}")
    take_backup(world, logs=True)
    recover_into(world.vault)(world.target, world.backup, now=LATER)
    archive_again(world, world.vault / "archive")
    places = [world.folder / "an archive", world.folder / "an export"]
    archive_again(world, places[0])
    export_tables(ExportRequest(places[1], world.vault, target=world.target), LATER, Silent())
    world.erase(now=LATER, **ASKED["entity"])
    clean = take_backup(world, LATER + timedelta(days=2))
    again = world.erase(now=LATER + timedelta(days=3), dry_run=True, **ASKED["entity"])
    listed = [one.folder for one in again.holding]
    assert clean.folder not in listed
    assert {str(place) for place in places} <= set(listed)
    for one in again.holding:
        assert one.remove in plan_text(again)
        path = Path(shlex.split(one.remove)[-1])
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    left = [p for p in (*world.vault.rglob("*"), *places) if p.is_file() or p in places]
    telling = [p for p in left if p.exists() and PLANTED["entity"].encode() in plain(p)]
    assert telling == []
    assert not [p for p in world.vault.rglob("*") if SECRET[-64:] in p.name]
    after = world.erase(now=LATER + timedelta(days=4), dry_run=True, **ASKED["entity"])
    assert after.holding == ()
    assert Path(clean.folder).is_dir()


def test_a_raw_file_that_somebody_else_brings_later_is_theirs(world: World) -> None:
    content = PLANTED["entity"]
    taken = take_backup(world)
    world.erase(now=LATER, **ASKED["entity"])
    insert_all(world.target, {"sources": [store("src-keep-theirs", content, OTHER_USER)]})
    put(world.raw, content, OTHER_USER)
    again = world.erase(now=LATER + timedelta(days=3), dry_run=True, **ASKED["entity"])
    listed = [Path(one.folder).name for one in again.holding]
    assert Path(taken.folder).name in listed
    assert name_of(content).rpartition("/")[2] not in listed
    assert (world.raw / name_of(content, OTHER_USER)).read_text() == content
