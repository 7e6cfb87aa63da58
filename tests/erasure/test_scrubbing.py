"""No bytes of what is erased stay: in free space, in a log, in a copy of the target."""

import sqlite3
from contextlib import closing

import pytest

from neotoma_core.errors import (
    ErasureUnfinished,
    TargetLocked,
)
from neotoma_core.files.atomic import observe
from tests.recovery.test_inputs import server_on
from tests.support.databases import (
    count,
    insert,
    observation,
)
from tests.support.erasing import World, count_gone, find_texts, find_texts_in, signs_of
from tests.support.planted import ASKED, ENTITY, PLANTED, title_fields


def test_no_copy_of_the_target_outlives_an_erasure(world: World) -> None:
    before = set((world.vault / "evidence").rglob("*"))
    world.erase(**ASKED["entity"])
    assert set((world.vault / "evidence").rglob("*")) == before
    assert list((world.vault / "work").iterdir()) == []


def test_text_that_was_deleted_before_is_scrubbed_too(world: World) -> None:
    """Older versions of a snapshot lie in the free space of the file."""
    old = "planted-orchard-52 in an older snapshot " * 200
    world.execute(
        world.target,
        "PRAGMA secure_delete = OFF",
        f"UPDATE entity_snapshots SET snapshot = '{old}' WHERE entity_id = 'ent-keep'",
        "UPDATE entity_snapshots SET snapshot = '{}' WHERE entity_id = 'ent-keep'",
    )
    assert b"older snapshot" in world.target.read_bytes()
    world.erase(**ASKED["observation"])
    assert find_texts_in(world.target, "older snapshot", *signs_of("observation")) == []


def test_a_log_that_a_killed_server_left_is_emptied(world: World) -> None:
    wal = world.target.with_name(world.target.name + "-wal")
    world.execute(world.target, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        insert(
            connection,
            "observations",
            observation("obs-gone-e-log", ENTITY, fields=title_fields(PLANTED["entity"])),
        )
        database, log = world.target.read_bytes(), wal.read_bytes()
    world.target.write_bytes(database)
    wal.write_bytes(log)
    assert PLANTED["entity"].encode() in wal.read_bytes()
    assert count_gone(world.erase(**ASKED["entity"]))["observations"] == 4
    assert find_texts(world, *signs_of("entity")) == []
    assert not wal.exists() or wal.stat().st_size == 0


def test_a_target_that_a_server_holds_is_refused_before_anything_is_recorded(world: World) -> None:
    with server_on(world.target), pytest.raises(TargetLocked):
        world.erase(**ASKED["entity"])
    assert not (world.vault / "erasures.jsonl").exists()


def test_a_file_that_cannot_be_scrubbed_is_said_to_be_and_is_later(world: World) -> None:
    with closing(sqlite3.connect(world.target, isolation_level=None)) as reader:

        def read(step: str) -> None:
            if step == "committed":
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM entities").fetchone()

        with observe(read), pytest.raises(ErasureUnfinished, match="the rows are erased"):
            world.erase(**ASKED["entity"])
        reader.execute("ROLLBACK")
    assert count(world.target, "observations") == 8
    assert world.erase(again=True).outcome == "erased"
    assert world.erase(again=True).outcome == "unchanged"
    assert find_texts(world, *signs_of("entity")) == []
