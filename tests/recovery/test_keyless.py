"""Rows without a key: merged by all their cells, in no snapshot, and twice is once."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.neotoma.tables import BY_NAME, MERGED
from neotoma_core.recovery.report import RecoveryReport
from tests.conftest import Recover
from tests.support.databases import (
    Row,
    count,
    entity,
    insert,
    make_database,
    observation,
    read_all,
    source,
)
from tests.support.rebuilding import rebuild
from tests.support.versions import NEWEST, VERSIONS, full_row, make_version

NO_KEY: dict[str, object] = {"id": None}


def ghost(title: str) -> Row:
    """Return an observation without an id."""
    return {**observation(title), "id": None}


def no_key(report: RecoveryReport) -> list[str]:
    return [finding.subject for finding in report.findings if finding.kind == "no-key"]


def test_observations_without_an_id_are_merged_once_and_not_reduced(
    tmp_path: Path, run_recover: Recover
) -> None:
    rows = [
        observation("o1"),
        ghost("ghost"),
        ghost("other"),
        ghost("other"),
    ]
    target = make_database(tmp_path / "target.db", {"entities": [entity("e1")]})
    backup = make_database(tmp_path / "backup.db", {"observations": rows})
    report = run_recover(target, backup)
    counts = next(c for c in report.tables if c.table == "observations")
    assert (counts.inserted, counts.quarantined) == (4, 0)
    assert no_key(report) == ["observations"]
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute(
            "SELECT snapshot, observation_count FROM entity_snapshots"
        ).fetchall() == [('{"title":"o1"}', 1)]
    after = read_all(target)
    again = run_recover(target, backup, mode="safe")
    assert again.outcome == "unchanged"
    assert no_key(again) == ["observations"]
    assert read_all(target) == after


def test_an_entity_with_no_other_observation_keeps_its_snapshot(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db", {"entities": [entity("e1")]})
    first = make_database(tmp_path / "first.db", {"observations": [observation("o1")]})
    run_recover(target, first)
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("UPDATE observations SET id = NULL")
        snapshots = connection.execute("SELECT * FROM entity_snapshots").fetchall()
    assert len(snapshots) == 1
    backup = make_database(tmp_path / "backup.db", {"observations": [ghost("ghost")]})
    run_recover(target, backup)
    assert count(target, "observations") == 2
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT * FROM entity_snapshots").fetchall() == snapshots


def test_a_database_with_rows_without_keys_merged_with_itself_stays(
    tmp_path: Path, run_recover: Recover
) -> None:
    rows = {
        table.name: [full_row(table, NEWEST, "a"), full_row(table, NEWEST, "b", **NO_KEY)]
        for table in MERGED
    }
    rows["sources"][1]["content_hash"] = None
    rows["observations"].append(dict(rows["observations"][1]))
    target = make_version(tmp_path / "target.db", NEWEST, rows)
    run_recover(target, make_version(tmp_path / "none.db", NEWEST, {"entities": [entity("x")]}))
    before = read_all(target)
    report = run_recover(target, make_version(tmp_path / "same.db", NEWEST, rows), mode="safe")
    assert all(c.identical == c.read for c in report.tables)
    assert read_all(target) == before
    new = tmp_path / "new.db"
    run_recover(new, tmp_path / "same.db")
    for table in MERGED:
        assert Counter(read_all(new)[table.name]) == Counter(
            read_all(tmp_path / "same.db")[table.name]
        )


def test_an_older_copy_of_a_row_without_a_key_is_the_same_row(
    tmp_path: Path, run_recover: Recover
) -> None:
    older = {"observations": [full_row(BY_NAME["observations"], VERSIONS[0], "a", **NO_KEY)]}
    newer = {
        "observations": [
            dict(full_row(BY_NAME["observations"], NEWEST, "a", **NO_KEY))
            | {name: older["observations"][0][name] for name in ("fields", "observed_at")}
        ]
    }
    target = make_version(tmp_path / "target.db", NEWEST, newer)
    backup = make_version(tmp_path / "old.db", VERSIONS[0], older)
    report = run_recover(target, backup)
    counts = next(c for c in report.tables if c.table == "observations")
    assert (counts.identical, counts.inserted) == (1, 0)


def test_a_source_without_an_id_gives_way_to_one_with_the_same_content(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db", {"sources": [source("s1", content_hash="h")]})
    backup = make_database(
        tmp_path / "backup.db", {"sources": [{**source("s2", content_hash="h"), "id": None}]}
    )
    report = run_recover(target, backup)
    counts = next(c for c in report.tables if c.table == "sources")
    assert (counts.inserted, counts.conflict) == (0, 1)


@pytest.mark.parametrize("narrow", [False, True])
def test_tables_without_a_key_keep_their_duplicates(
    tmp_path: Path, run_recover: Recover, *, narrow: bool
) -> None:
    target = make_database(tmp_path / "target.db")
    backup = make_database(tmp_path / "backup.db")
    columns = "a" if narrow else "a, b REAL, c TEXT NOT NULL"
    row = (1,) if narrow else (None, 1.5, "x")
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        connection.execute(f"CREATE TABLE journal ({columns})")
        marks = ", ".join("?" * len(row))
        connection.executemany(f"INSERT INTO journal VALUES ({marks})", [row, row, row])
    for outcome in ("published", "unchanged"):
        report = run_recover(target, backup)
        assert report.outcome == outcome
        assert count(target, "journal") == 3
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("DELETE FROM journal WHERE rowid = 1")
    assert run_recover(target, backup).writes == 1
    assert count(target, "journal") == 3


def test_a_rebuild_leaves_rows_without_keys_and_carried_tables_alone(tmp_path: Path) -> None:
    target = make_database(tmp_path / "target.db", {"entities": [entity("e1")]})
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE observations ADD COLUMN rowid TEXT")
        insert(connection, "observations", observation("o1"))
        insert(connection, "observations", ghost("ghost"))
        connection.execute("CREATE TABLE journal (a)")
        connection.execute("INSERT INTO journal VALUES (1), (1)")
    report = rebuild(target)
    assert report.outcome == "rebuilt"
    assert count(target, "journal") == 2
    assert count(target, "observations") == 2
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute(
            "SELECT snapshot, observation_count FROM entity_snapshots"
        ).fetchall() == [('{"title":"o1"}', 1)]
