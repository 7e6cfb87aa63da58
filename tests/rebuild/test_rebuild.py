"""Rebuilding snapshots: what Neotoma wrote stays, what is not what the log says is put right."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.errors import (
    KeyMissing,
    TargetChanged,
    TargetError,
    TargetLocked,
    TargetRuined,
    UsageError,
)
from neotoma_core.report.progress import Silent
from tests.conformance.cases import CASES, Case
from tests.conftest import NOW
from tests.support.compared import differences
from tests.support.databases import USER, count, entity, make_database, observation, read_all
from tests.support.rebuilding import check, drift_of, rebuild
from tests.support.restoring import restore_evidence

BACKUPS = ("neotoma.prod.db.db", "neotoma.prod 2.db")
DERIVED = ("entity_snapshots", "relationship_snapshots")
Small = Callable[..., Path]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def snapshot_of(path: Path, entity_id: str) -> str | None:
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(
            "SELECT snapshot FROM entity_snapshots WHERE entity_id = ?", (entity_id,)
        ).fetchone()
    return str(row[0]) if row else None


def rowids(path: Path) -> dict[str, int]:
    """Return where each entity snapshot lies: a row that is written again moves."""
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT entity_id, rowid FROM entity_snapshots").fetchall())


@pytest.fixture
def largest(incident: Path) -> Path:
    return incident / "backups" / BACKUPS[0]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Three entities, one of them with two observations, their snapshots rebuilt."""
    path = make_database(
        tmp_path / "small.db",
        {
            "entities": [entity(name) for name in ("e1", "e2", "e3")],
            "observations": [
                observation("o1", "e1"),
                observation("o2", "e1", observed_at="2026-02-02T00:00:00.000Z"),
                observation("o3", "e2", entity_type="task"),
                observation("o4", "e3"),
            ],
            "relationship_observations": [
                {
                    "id": "r1",
                    "relationship_key": "PART_OF:e1:e2",
                    "relationship_type": "PART_OF",
                    "source_entity_id": "e1",
                    "target_entity_id": "e2",
                    "observed_at": "2026-02-01T00:00:00.000Z",
                    "metadata": '{"since":"2020"}',
                    "user_id": USER,
                }
            ],
        },
    )
    assert rebuild(path).writes == 4
    return path


@pytest.mark.parametrize("name", BACKUPS)
def test_a_healthy_database_written_by_neotoma_has_no_drift(name: str, incident: Path) -> None:
    target = incident / "backups" / name
    before = digest(target)
    report = check(target)
    assert report.drifts == 0
    assert report.drifted == ()
    assert [d.unchanged for d in report.derived] == [count(target, name) for name in DERIVED]
    assert digest(target) == before


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_snapshot_of_a_conformance_case_is_neotomas(case: Case, tmp_path: Path) -> None:
    target = case.unpack(tmp_path / "input.db")
    rebuild(target, rules=case.rules.name)
    for table in DERIVED:
        assert differences(target, table, case.file(table)) == []


def test_a_check_keeps_no_copy_of_the_target(largest: Path) -> None:
    report = check(largest)
    vault = largest.parent / "vault"
    assert report.evidence is None
    assert list((vault / "evidence").iterdir()) == []
    assert list(vault.rglob("*.db")) == []


def test_planted_drift_is_found_and_put_right(largest: Path) -> None:
    healthy = read_all(largest)
    with closing(sqlite3.connect(largest)) as connection:
        ids = [row[0] for row in connection.execute("SELECT entity_id FROM entity_snapshots")]
        key = connection.execute("SELECT relationship_key FROM relationship_snapshots").fetchone()
    empty, lost, wrong, merged = ids[0], ids[1], ids[2], ids[3]
    execute(
        largest,
        f"UPDATE entity_snapshots SET snapshot = '{{}}', provenance = '{{}}' "
        f"WHERE entity_id = '{empty}'",
        f"DELETE FROM entity_snapshots WHERE entity_id = '{lost}'",
        f"UPDATE entity_snapshots SET observation_count = 77 WHERE entity_id = '{wrong}'",
        "INSERT INTO entity_snapshots (entity_id, entity_type, schema_version, snapshot) "
        "VALUES ('ghost', 'note', '1.0', '{}')",
        "UPDATE relationship_snapshots SET is_live = 1 - is_live "
        f"WHERE relationship_key = '{key[0]}'",
    )
    found = check(largest)
    assert drift_of(found) == {
        ("stale", empty),
        ("missing", lost),
        ("wrong-count", wrong),
        ("unexpected", "ghost"),
        ("stale", key[0]),
    }
    stale = next(item for item in found.drifted if item.id == empty)
    assert set(stale.columns) == {"snapshot", "provenance"}
    assert stale.fields
    assert found.drift_file is not None
    assert pl.read_parquet(found.drift_file).height == 5

    execute(largest, f"UPDATE entities SET merged_to_entity_id = 'x' WHERE id = '{merged}'")
    again = check(largest)
    reason = {item.id: item.reason for item in again.drifted if item.kind == "unexpected"}
    assert reason == {"ghost": "no observations", merged: "merged-away"}

    execute(largest, f"UPDATE entities SET merged_to_entity_id = NULL WHERE id = '{merged}'")
    report = rebuild(largest)
    assert report.outcome == "rebuilt"
    assert report.writes == 5
    assert [check.name for check in report.checks] == [
        "accounted",
        "written",
        "intact",
        "re-reduced",
    ]
    assert set(read_all(largest)["entity_snapshots"]) == set(healthy["entity_snapshots"])
    assert check(largest).drifts == 0


def test_only_rows_that_differ_are_written(small: Path) -> None:
    before = rowids(small)
    execute(small, "UPDATE entity_snapshots SET snapshot = '{}' WHERE entity_id = 'e1'")
    assert rebuild(small).writes == 1
    assert {name for name, row in rowids(small).items() if before[name] != row} == {"e1"}
    assert snapshot_of(small, "e1") == '{"title":"o2"}'


def test_json_that_says_the_same_in_other_words_is_no_drift(small: Path) -> None:
    words = '{ "title" : "\\u006f2" }'
    execute(small, f"UPDATE entity_snapshots SET snapshot = '{words}' WHERE entity_id = 'e1'")
    written = snapshot_of(small, "e1")
    assert check(small).drifts == 0
    assert rebuild(small).outcome == "unchanged"
    assert snapshot_of(small, "e1") == written


def test_true_is_not_one(small: Path) -> None:
    execute(
        small,
        "UPDATE observations SET fields = '{\"title\":true}' WHERE id = 'o4'",
        "UPDATE entity_snapshots SET snapshot = '{\"title\":1}', canonical_name = NULL "
        "WHERE entity_id = 'e3'",
    )
    assert drift_of(check(small)) == {("stale", "e3")}


def test_when_a_relationship_was_computed_is_no_reason_to_write(small: Path) -> None:
    execute(small, "UPDATE relationship_snapshots SET computed_at = '1999-01-01T00:00:00.000Z'")
    assert rebuild(small).outcome == "unchanged"


def test_a_tombstoned_entity_has_no_snapshot(small: Path) -> None:
    with closing(sqlite3.connect(small, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO observations (id, entity_id, entity_type, schema_version, observed_at, "
            "source_priority, fields, user_id) VALUES ('gone', 'e3', 'note', '1.0', "
            "'2026-02-03T00:00:00.000Z', 1000, '{\"_deleted\":true}', ?)",
            (USER,),
        )
    (item,) = check(small).drifted
    assert (item.kind, item.id, item.reason) == ("unexpected", "e3", "deleted")
    rebuild(small)
    assert snapshot_of(small, "e3") is None


def test_a_merged_away_entity_that_still_has_observations_has_no_snapshot(small: Path) -> None:
    execute(small, "UPDATE entities SET merged_to_entity_id = 'e1' WHERE id = 'e3'")
    report = rebuild(small)
    assert [d.removed for d in report.derived] == [1, 0]
    assert snapshot_of(small, "e3") is None


def test_unreadable_fields_are_found_and_the_rest_counts(small: Path) -> None:
    execute(
        small,
        "UPDATE observations SET fields = 'not json' WHERE id = 'o2'",
        "UPDATE observations SET fields = NULL WHERE id = 'o4'",
    )
    report = rebuild(small)
    found = {finding.subject for finding in report.findings if finding.kind == "unreadable"}
    assert found == {"o2", "o4"}
    assert snapshot_of(small, "e1") == '{"title":"o1"}'
    assert snapshot_of(small, "e3") == '{"title":"o4"}'  # nothing better is known


def test_a_cell_of_another_type_counts_as_what_it_is(small: Path) -> None:
    execute(
        small,
        "UPDATE observations SET source_priority = 'high' WHERE id = 'o4'",
        "DELETE FROM entity_snapshots",
    )
    report = rebuild(small)
    assert [f.kind for f in report.findings] == ["no-schema", "no-schema"]
    assert snapshot_of(small, "e3") == '{"title":"o4"}'


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"entities": ("e3",)}, {"e3"}),
        ({"types": ("task",)}, {"e2"}),
        ({"entities": ("e3",), "types": ("task",)}, {"e2", "e3"}),
    ],
)
def test_a_rebuild_can_be_narrowed(
    options: dict[str, tuple[str, ...]], kept: set[str], small: Path
) -> None:
    execute(small, "DELETE FROM entity_snapshots", "DELETE FROM relationship_snapshots")
    report = rebuild(small, lambda _: True, **options)
    assert report.narrowed
    assert set(rowids(small)) == kept
    assert count(small, "relationship_snapshots") == ("e2" in kept)


def test_an_unknown_entity_is_named(small: Path) -> None:
    with pytest.raises(UsageError, match="no entity e9"):
        rebuild(small, entities=("e9",))


def test_declined_nothing_is_written(small: Path) -> None:
    execute(small, "DELETE FROM entity_snapshots")
    before = digest(small)
    report = rebuild(small, confirm=lambda plan: plan.writes == 0)
    assert report.outcome == "planned"
    assert digest(small) == before


def test_the_undo_puts_the_target_back(small: Path) -> None:
    execute(small, "DELETE FROM entity_snapshots")
    before = read_all(small)
    report = rebuild(small)
    assert report.undo is not None
    assert report.evidence is not None
    restore_evidence(Path(report.evidence), small, small.parent / "vault", NOW, Silent())
    assert read_all(small) == before


def test_a_target_that_changes_meanwhile_is_left_alone(small: Path) -> None:
    execute(small, "DELETE FROM entity_snapshots")

    def meddle(_: object) -> bool:
        execute(small, "UPDATE entities SET canonical_name = 'other' WHERE id = 'e1'")
        return True

    with pytest.raises(TargetChanged):
        rebuild(small, confirm=meddle)
    assert rowids(small) == {}


def test_a_locked_target_is_left_alone(small: Path) -> None:
    execute(small, "DELETE FROM entity_snapshots")
    with closing(sqlite3.connect(small, isolation_level=None)) as connection:

        def lock(_: object) -> bool:
            connection.execute("BEGIN IMMEDIATE")
            return True

        with pytest.raises(TargetLocked):
            rebuild(small, confirm=lock)


def test_a_target_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no such file"):
        check(tmp_path / "absent.db")


def test_damage_is_told_apart_from_drift(small: Path) -> None:
    execute(small, "CREATE TABLE big (a)", "INSERT INTO big SELECT randomblob(90000)")
    with closing(sqlite3.connect(small)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'observations'"
        ).fetchone()
    with small.open("r+b") as file:
        file.seek((page - 1) * 4096 + 2)
        file.write(b"\xff\xff\xff\xff\xff\xff")
    with pytest.raises(TargetRuined):
        check(small)


def test_encrypted_observations_without_a_key_stop_the_run(small: Path) -> None:
    sealed = ":".join(("0" * 32, "0" * 32, "ab"))
    execute(small, f"UPDATE observations SET fields = '{sealed}' WHERE id = 'o1'")
    before = digest(small)
    with pytest.raises(KeyMissing):
        rebuild(small)
    assert digest(small) == before


def test_a_write_ahead_log_is_read_and_survives(small: Path) -> None:
    execute(small, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(small, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("DELETE FROM entity_snapshots WHERE entity_id = 'e1'")
        assert drift_of(check(small)) == {("missing", "e1")}
        assert rebuild(small).writes == 1
    assert check(small).drifts == 0


def test_no_stored_value_is_in_the_report(small: Path) -> None:
    execute(
        small,
        "UPDATE observations SET fields = '{\"title\":\"s3cret\"}' WHERE id = 'o4'",
        "UPDATE observations SET fields = '[\"s3cret\"]' WHERE id = 'o3'",
    )
    report = rebuild(small)
    assert report.outcome == "rebuilt"
    assert "s3cret" not in report.to_json()
