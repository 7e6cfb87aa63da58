"""What rows an erasure reaches in what tables, and what is reported of those that stay."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.errors import (
    KeyMissing,
)
from neotoma_core.files.keys import KeyFile
from tests.conftest import recover_into
from tests.neotoma.test_encryption import KEY, SECRET
from tests.support.after_erasing import AFTER, recover, restore_kept
from tests.support.databases import (
    count,
    loosen,
    read_all,
)
from tests.support.erasing import World, count_gone, find_texts, find_texts_in, signs_of
from tests.support.planted import ASKED, ENTITY, OBSERVATION, OTHER_USER, PLANTED


def test_the_rows_of_each_table_are_those_that_facts_reach(world: World) -> None:
    assert count_gone(world.erase(dry_run=True, **ASKED["entity"])) == {
        "auto_enhancement_queue": 1,
        "entities": 3,
        "entity_embedding_rows": 1,
        "entity_merges": 3,
        "entity_snapshots": 2,
        "entity_splits": 1,
        "interpretations": 2,
        "observations": 3,
        "raw_fragments": 2,
        "relationship_observations": 2,
        "relationship_snapshots": 2,
        "source_entity_edges": 1,
        "source_event_edges": 1,
        "sources": 2,
        "substrate_events": 1,
        "timeline_events": 1,
    }


def test_encrypted_columns_need_the_key_and_stay_encrypted(world: World) -> None:
    path = world.folder / "secret.key"
    path.write_text(SECRET.hex())
    for database in (world.target, world.backup):
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.create_function("sealed", 1, lambda cell: cell and KEY.seal(cell))
            for table, column in (
                ("observations", "fields"),
                ("entity_snapshots", "snapshot"),
                ("entity_snapshots", "provenance"),
                ("auto_enhancement_queue", "payload"),
            ):
                connection.execute(f"UPDATE {table} SET {column} = sealed({column})")
    with pytest.raises(KeyMissing):
        world.erase(**ASKED["all"])
    report = world.erase(**ASKED["all"], key=KeyFile(path))
    assert count_gone(report)["auto_enhancement_queue"] == 1
    assert find_texts(world, *signs_of("all")) == []
    with closing(sqlite3.connect(world.target)) as connection:
        (snapshot,) = connection.execute(
            "SELECT snapshot FROM entity_snapshots WHERE entity_id = 'ent-keep'"
        ).fetchone()
    assert KEY.open(snapshot) == '{"title":"obs-keep-1"}'
    recover_into(world.vault)(world.target, world.backup, now=AFTER, key=KeyFile(path))
    restore_kept(world, key=KeyFile(path))
    assert find_texts(world, *signs_of("all")) == []


def test_tables_of_a_newer_neotoma_count_by_the_names_of_their_columns(world: World) -> None:
    world.execute(
        world.target,
        "CREATE TABLE summaries (id TEXT, entity_id TEXT, text TEXT)",
        f"INSERT INTO summaries VALUES ('s', '{ENTITY}', '{PLANTED['entity']}')",
        "INSERT INTO summaries VALUES ('t', 'ent-keep', 'kept')",
        "CREATE TABLE unnumbered (entity_id TEXT PRIMARY KEY) WITHOUT ROWID",
        "INSERT INTO unnumbered VALUES ('ent-keep')",
    )
    report = world.erase(**ASKED["entity"])
    assert count_gone(report)["summaries"] == 1
    assert find_texts(world, *signs_of("entity")) == []
    assert [f.subject for f in report.findings if f.kind == "not-looked-into"] == ["unnumbered"]


def test_a_table_without_a_column_that_names_anything_is_no_hindrance(world: World) -> None:
    world.execute(
        world.target, "CREATE TABLE numbers (n INTEGER)", "INSERT INTO numbers VALUES (1)"
    )
    report = world.erase(**ASKED["entity"])
    assert report.outcome == "erased"
    assert count(world.target, "numbers") == 1
    assert [f for f in report.findings if f.kind == "not-looked-into"] == []


def test_a_database_of_an_old_version_loses_the_same_rows(world: World) -> None:
    world.execute(
        world.target,
        "DROP TABLE substrate_events",
        "DROP TABLE entity_splits",
        "ALTER TABLE raw_fragments DROP COLUMN entity_id",
        "ALTER TABLE entity_snapshots DROP COLUMN canonical_name",
    )
    world.erase(**ASKED["all"])
    assert find_texts(world, *signs_of("all")) == []


def test_other_users_keep_what_they_said_of_an_erased_users_entity(world: World) -> None:
    world.execute(
        world.target,
        f"UPDATE entities SET user_id = '{OTHER_USER}' WHERE id = 'ent-common'",
    )
    shutil.copyfile(world.target, world.backup)
    report = world.erase(**ASKED["user"])
    assert [f.subject for f in report.findings if f.kind == "left-dangling"] == [
        "observations.entity_id"
    ]
    assert count(world.target, "observations") == 9
    world.target.unlink()
    recover(world)
    assert find_texts(world, *signs_of("user")) == []
    assert count(world.target, "observations") == 9


def test_an_erased_row_that_is_broken_is_counted_and_not_kept_in_quarantine(world: World) -> None:
    world.erase(**ASKED["entity"])
    for table in ("observations", "raw_fragments"):
        loosen(world.backup, table)
    world.execute(
        world.backup,
        "UPDATE observations SET schema_version = NULL WHERE id IN ('obs-gone-e-1', 'obs-keep-2')",
        "UPDATE raw_fragments SET fragment_key = NULL WHERE id = 'frg-gone-e-1'",
    )
    report = recover_into(world.vault)(world.target, world.backup, now=AFTER)
    assert {c.table: c.quarantined for c in report.tables if c.quarantined} == {
        "observations": 2,
        "raw_fragments": 1,
    }
    (kept,) = Path(report.quarantine or "").iterdir()
    assert pl.read_parquet(kept)["id"].to_list() == ["'obs-keep-2'"]
    assert find_texts(world, *signs_of("entity")) == []


def test_an_observation_of_a_relationship_is_one_too(world: World) -> None:
    report = world.erase(observations=("rel-keep",))
    assert count_gone(report) == {"relationship_observations": 1}
    assert find_texts_in(world.target, "rel-keep", "KNOWS:ent-keep:ent-other") == []


def test_an_entity_without_observations_is_told_of(world: World) -> None:
    report = world.erase(observations=("obs-keep-1", OBSERVATION))
    assert [f.kind for f in report.findings if f.kind == "emptied"] == ["emptied"]
    assert "ent-keep" not in str(read_all(world.target)["entity_snapshots"])


def test_erasing_one_that_was_merged_away_tells_of_the_survivor(world: World) -> None:
    world.execute(world.target, "DELETE FROM entity_merges")
    report = world.erase(entities=("ent-gone-e-2",))
    assert "merged-away" in {f.kind for f in report.findings}


def test_one_that_was_merged_away_and_loses_something_gets_no_snapshot(world: World) -> None:
    world.execute(
        world.target,
        "UPDATE entities SET merged_to_entity_id = 'ent-other', merged_at = created_at "
        "WHERE id IN ('ent-keep', 'ent-common')",
    )
    assert world.erase(**ASKED["observation"]).outcome == "erased"
    snapshots = str(read_all(world.target)["entity_snapshots"])
    assert "ent-keep" not in snapshots
    assert "ent-common" in snapshots  # it loses nothing
