"""What is drift: planted differences are; what Neotoma wrote, and other spellings, are not."""

import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.errors import (
    TargetRuined,
)
from tests.conformance.cases import CASES, Case
from tests.support.compared import differences
from tests.support.databases import count, read_all
from tests.support.rebuilding import check, digest, drift_of, execute, rebuild, snapshot_of

BACKUPS = ("neotoma.prod.db.db", "neotoma.prod 2.db")


DERIVED = ("entity_snapshots", "relationship_snapshots")


@pytest.fixture
def largest(incident: Path) -> Path:
    return incident / "backups" / BACKUPS[0]


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
