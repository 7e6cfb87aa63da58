"""Where the two sides of a carried table differ: rows, columns, and rules of the target."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import ConflictsFound
from tests.conftest import Recover
from tests.support.carrying import counts_of, pair, rows, run
from tests.support.databases import make_database, read_all

MODES = {"keep-target": "theirs", "keep-source": "ours"}


@pytest.mark.parametrize(("mode", "kept"), MODES.items())
def test_conflicts_in_a_carried_table_go_by_the_mode(
    mode: str, kept: str, tmp_path: Path, run_recover: Recover
) -> None:
    made = "CREATE TABLE extra (a TEXT, b INTEGER, v TEXT, PRIMARY KEY (a, b))"
    target, backup = pair(tmp_path, made, "INSERT INTO extra VALUES ('x', 1, 'ours')")
    run(target, made, "INSERT INTO extra VALUES ('x', 1, 'theirs'), ('x', 2, 'theirs')")
    with pytest.raises(ConflictsFound):
        run_recover(target, backup, mode="safe")
    report = run_recover(target, backup, mode=mode)
    assert counts_of(report, "extra").conflict == 1
    assert report.conflicts.first[0]["columns"] == ["v"]
    assert rows(target, "SELECT * FROM extra ORDER BY b") == [("x", 1, kept), ("x", 2, "theirs")]


def test_columns_of_a_carried_table_are_the_union_and_what_is_missing_is_null(
    tmp_path: Path, run_recover: Recover
) -> None:
    target, first = pair(
        tmp_path,
        "CREATE TABLE extra (id TEXT PRIMARY KEY, one TEXT)",
        "INSERT INTO extra VALUES ('a', '1')",
    )
    second = run(
        make_database(tmp_path / "second.db"),
        "CREATE TABLE EXTRA (TWO INTEGER, ID TEXT PRIMARY KEY)",
        "INSERT INTO EXTRA VALUES (2, 'b')",
    )
    report = run_recover(target, first, second)
    assert [c.inserted for c in report.tables if c.table == "extra"] == [1, 1]
    assert rows(target, "SELECT id, one, two FROM extra ORDER BY id") == [
        ("a", "1", None),
        ("b", None, 2),
    ]
    assert run_recover(target, second, first, mode="safe").outcome == "unchanged"


def test_a_target_gains_the_columns_its_own_table_lacks(
    tmp_path: Path, run_recover: Recover
) -> None:
    target, backup = pair(
        tmp_path,
        "CREATE TABLE extra (id TEXT PRIMARY KEY, one TEXT, two INTEGER DEFAULT 5)",
        "INSERT INTO extra VALUES ('a', '1', 2), ('b', '1', 2)",
    )
    run(target, "CREATE TABLE extra (id TEXT PRIMARY KEY)", "INSERT INTO extra VALUES ('a')")
    counts = counts_of(run_recover(target, backup), "extra")
    assert (counts.inserted, counts.identical) == (1, 1)
    assert rows(target, "SELECT * FROM extra ORDER BY id") == [("a", None, 5), ("b", "1", 2)]


def test_unknown_columns_keep_the_storage_class_of_their_cells(
    tmp_path: Path, run_recover: Recover
) -> None:
    target, backup = pair(
        tmp_path,
        "ALTER TABLE entities ADD COLUMN score REAL",
        "ALTER TABLE entities ADD COLUMN live INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE entities ADD COLUMN said TEXT DEFAULT (upper('x'))",
        "INSERT INTO entities (id, entity_type, canonical_name, score, live, said) "
        "VALUES ('e', 'note', 'e', 2, 0, 'yes')",
    )
    run(target, "INSERT INTO entities (id, entity_type, canonical_name) VALUES ('t', 'n', 't')")
    run_recover(target, backup)
    assert rows(target, "SELECT score, live, said FROM entities ORDER BY id") == [
        (2.0, 0, "yes"),
        (None, 1, None),
    ]
    assert rows(target, "SELECT typeof(score), typeof(live) FROM entities WHERE id = 'e'") == [
        ("real", "integer")
    ]


UNFIT = {
    "another primary key than where it was first met": (
        "CREATE TABLE extra (id TEXT, v TEXT, PRIMARY KEY (id, v))"
    ),
    "columns of other types than where it was first met": (
        "CREATE TABLE extra (id TEXT PRIMARY KEY, v INTEGER)"
    ),
    "the target's table requires values that this one may lack": (
        "CREATE TABLE extra (id TEXT PRIMARY KEY, v TEXT NOT NULL)"
    ),
    "the target's table has rules of its own, which rows from elsewhere may break": (
        "CREATE TABLE extra (id TEXT PRIMARY KEY, v TEXT CHECK (v <> 'v'))"
    ),
    "the target has something else of this name": (
        "CREATE VIEW extra AS SELECT id, id AS v FROM sources"
    ),
}


@pytest.mark.parametrize(("reason", "made"), UNFIT.items())
def test_rows_that_do_not_fit_the_targets_own_table_are_left_out_and_named(
    reason: str, made: str, tmp_path: Path, run_recover: Recover
) -> None:
    target, backup = pair(
        tmp_path,
        "CREATE TABLE extra (id TEXT PRIMARY KEY, v TEXT)",
        "INSERT INTO extra VALUES ('a', 'v')",
        "INSERT INTO entities (id, entity_type, canonical_name) VALUES ('e', 'note', 'e')",
    )
    run(target, made)
    report = run_recover(target, backup)
    assert report.outcome == "published"
    counts = counts_of(report, "extra")
    assert (counts.skipped, counts.reasons) == (1, {reason: 1})
    assert rows(target, "SELECT * FROM extra") == []


def test_a_further_unique_key_of_the_target_is_respected(
    tmp_path: Path, run_recover: Recover
) -> None:
    made = "CREATE TABLE extra (id TEXT PRIMARY KEY, mail TEXT UNIQUE)"
    target, backup = pair(
        tmp_path, made, "INSERT INTO extra VALUES ('a', 'm'), ('b', 'n'), ('c', NULL)"
    )
    run(target, made, "INSERT INTO extra VALUES ('z', 'm'), ('y', NULL)")
    counts = counts_of(run_recover(target, backup), "extra")
    assert (counts.inserted, counts.conflict) == (2, 1)
    assert {identifier for (identifier,) in rows(target, "SELECT id FROM extra")} == set("zybc")


def test_the_same_table_with_and_without_rows_is_no_difference(
    tmp_path: Path, run_recover: Recover
) -> None:
    made = "CREATE TABLE extra (id TEXT PRIMARY KEY)"
    target, backup = pair(tmp_path, made)
    report = run_recover(target, backup)
    assert report.outcome == "unchanged"
    assert "extra" not in read_all(target)
    missing = tmp_path / "new.db"
    run(backup, "INSERT INTO extra VALUES ('a')")
    run_recover(missing, backup)
    assert rows(missing, "SELECT * FROM extra") == [("a",)]


def test_a_broken_row_of_a_carried_table_is_set_aside(tmp_path: Path, run_recover: Recover) -> None:
    target, backup = pair(
        tmp_path, "CREATE TABLE 'ex/tra' (id TEXT, v TEXT)", "INSERT INTO 'ex/tra' VALUES ('a', '')"
    )
    run(backup, "INSERT INTO 'ex/tra' VALUES ('b', NULL)", "PRAGMA writable_schema = ON")
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = 'CREATE TABLE \"ex/tra\" (id TEXT, v TEXT NOT NULL)' "
            "WHERE name = 'ex/tra'"
        )
    report = run_recover(target, backup)
    counts = counts_of(report, "ex/tra")
    assert (counts.inserted, counts.quarantined) == (1, 1)
    assert len(list(Path(report.quarantine or "").glob("*.parquet"))) == 1
