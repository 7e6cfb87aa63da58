"""Each check of a drill finds the fault that no other can, and is named."""

import shutil
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.files.atomic import Subject, observe_with_subject
from tests.proofs.planting import lose_root
from tests.support.backing_up import HASH, Vault, copy_vault, fill, small_vault
from tests.support.carrying import run as execute
from tests.support.drilling import (
    RESTORED,
    Plant,
    drill_once,
    lacking_a_row,
    plant_while_restoring,
    statement,
    with_manifest,
)


def flip(path: Path, place: int = 99) -> None:
    raw = bytearray(path.read_bytes())
    raw[place] ^= 1
    path.write_bytes(raw)


STORED = ("database.db.zst", "raw_files.json.zst", "logs.tar.zst")


@pytest.mark.parametrize("name", STORED)
def test_a_stored_byte_that_changed(name: str, world: Vault) -> None:
    flip(world.place() / name, -1)
    drill = drill_once(world)
    assert (drill.outcome, drill.level) == ("fail", "none")
    assert drill.reasons[0].startswith(f"{name}: ")


@pytest.mark.parametrize("name", STORED)
def test_a_stored_byte_more(name: str, world: Vault) -> None:
    """What is in the file comes back as it was, and yet it is not the file that was stored."""
    stored = world.place() / name
    stored.write_bytes(stored.read_bytes() + b"x")
    assert drill_once(world).reasons == (f"{name}: its bytes are not those that were stored",)


@pytest.mark.parametrize("name", STORED)
def test_a_stored_file_that_is_gone(name: str, world: Vault) -> None:
    (world.place() / name).unlink()
    assert drill_once(world).reasons == (f"{name}: missing",)


def test_every_stored_file_is_among_those(world: Vault) -> None:
    sealed = {"manifest.json", "state.json"}  # which say of themselves whether they are whole
    assert {path.name for path in world.place().iterdir()} == {*STORED, *sealed}


def with_a_damaged_page(connection: sqlite3.Connection) -> None:
    """Let an index begin on a page that is not one of an index."""
    connection.execute("CREATE INDEX planted ON observations (user_id)")
    lose_root(connection, "observations", "planted")


@pytest.mark.parametrize("damage", [lacking_a_row, with_a_damaged_page])
def test_an_index_that_is_not_sound(damage: Plant, world: Vault) -> None:
    with plant_while_restoring(damage):
        drill = drill_once(world)
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert drill.reasons[0].startswith("damaged: SQLite's integrity check found ")


WRONG_ROWS = {
    "another cell": (
        "observations",
        "UPDATE observations SET identity_rule = 'x' WHERE id = 'o0001'",
    ),
    "another class of cell": (
        "observations",
        "UPDATE observations SET user_id = CAST(user_id AS BLOB) WHERE id = 'o0001'",
    ),
    "a row less": ("entities", "DELETE FROM entities WHERE id = 'e0003'"),
    "a row more": ("sources", "INSERT INTO sources (id) VALUES ('s2')"),
    "a row in another's place": (
        "sources",
        "UPDATE sources SET id = 's2'",
    ),
    "a snapshot that is another": (
        "relationship_snapshots",
        "UPDATE relationship_snapshots SET is_live = 0",
    ),
    "a table more": ("planted", "CREATE TABLE planted (a)"),
    "a table less": ("overflow_events", "DROP TABLE overflow_events"),
}


@pytest.mark.parametrize(("table", "sql"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_rows_that_came_back_otherwise(table: str, sql: str, world: Vault) -> None:
    with plant_while_restoring(statement(sql)):
        drill = drill_once(world)
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert drill.reasons == (f"{table}: the rows that came back are not those that were stored",)


def test_counts_that_are_not_those_of_the_rows(world: Vault) -> None:
    manifest = world.backups[0].manifest
    with_manifest(world, replace(manifest, counts=replace(manifest.counts, nulls=0.5)))
    drill = drill_once(world)
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert drill.reasons == ("the counts that came back are not those that were stored",)


def test_content_that_is_not_that_of_the_manifest(world: Vault) -> None:
    manifest = world.backups[0].manifest
    with_manifest(world, replace(manifest, database=replace(manifest.database, plain_sha256="0")))
    drill = drill_once(world)
    assert (drill.outcome, drill.level) == ("fail", "none")
    assert drill.reasons == ("database.db.zst: what it holds is not what was stored",)


def test_something_else_that_has_the_name_of_a_table(tmp_path: Path) -> None:
    world = small_vault(tmp_path)
    execute(world.target, "DROP TABLE source_event_edges")
    world.back_up()
    with plant_while_restoring(statement("CREATE VIEW source_event_edges AS SELECT 1")):
        drill = drill_once(world)
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert drill.reasons == ("something else has the name of one of its tables",)


@pytest.mark.parametrize("damage", ["gone", "flipped"])
def test_a_raw_file_that_is_damaged_or_gone(damage: str, world: Vault) -> None:
    blob = world.vault / "blobs" / HASH[:2] / HASH
    if damage == "gone":
        blob.unlink()
    else:
        flip(blob, 0)
    drill = drill_once(world)
    assert (drill.outcome, drill.level) == ("fail", "restored")
    assert drill.reasons == (f"1 of 1 raw files are missing or damaged: {blob}",)


def test_a_state_that_is_not_what_was_written(world: Vault) -> None:
    flip(world.place() / "state.json", 12)
    (drill,) = world.verify().drills
    assert drill.reasons == ("state.json: not what was written",)


DRIFT = {
    "a snapshot less": "DELETE FROM entity_snapshots WHERE entity_id = 'e0001'",
    "another snapshot": "UPDATE entity_snapshots SET snapshot = '{}' WHERE entity_id = 'e0001'",
    "a snapshot more": "INSERT INTO entity_snapshots (entity_id, entity_type, schema_version) "
    "VALUES ('nobody', 'note', '1.0')",
    "another edge": "UPDATE relationship_snapshots SET is_live = 0",
}


@pytest.mark.parametrize("sql", DRIFT.values(), ids=DRIFT)
def test_a_snapshot_that_is_not_what_the_log_says_is_counted(
    sql: str, template: Vault, tmp_path: Path
) -> None:
    world = copy_vault(template, tmp_path)
    execute(world.target, sql)
    drill = world.back_up().drill
    assert drill is not None
    assert (drill.outcome, drill.level, drill.drifted) == ("pass", "recomputed", 1)


def test_a_fault_of_the_program_is_not_taken_for_a_hindrance(world: Vault) -> None:
    def fail(_: sqlite3.Connection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), plant_while_restoring(fail):
        world.verify()


def test_one_restored_copy_is_there_at_a_time_and_its_owners_alone(world: Vault) -> None:
    fill(world.target, 41)
    world.back_up(drill=False)
    places: list[Path] = []

    def observe(step: str, subject: Subject) -> None:
        if step == RESTORED:
            assert isinstance(subject, Path)
            places.append(subject.parent)
            assert list(subject.parent.parent.glob("drill-*")) == [subject.parent]
            assert stat.S_IMODE(subject.parent.stat().st_mode) == 0o700

    with observe_with_subject(observe):
        assert world.verify().outcome == "pass"
    assert len(places) == 2
    assert not any(place.exists() for place in places)


def test_what_cannot_be_looked_at_is_not_said_to_be_damaged(world: Vault) -> None:
    good = world.backups[0].manifest
    for size in (1 << 50, shutil.disk_usage(world.folder).free * 3 // 4):
        large = replace(good.database, plain_size=size)
        with_manifest(world, replace(good, database=large))
        assert drill_once(world).reasons == ("too little free space to restore it",)


def test_a_folder_in_place_of_a_stored_file_is_damage(world: Vault) -> None:
    stored = world.place() / "database.db.zst"
    stored.unlink()
    stored.mkdir()
    drill = drill_once(world)
    assert (drill.outcome, drill.level) == ("fail", "none")
    assert drill.reasons == ("database.db.zst: not a regular file",)
