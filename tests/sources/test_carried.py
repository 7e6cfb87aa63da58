"""Tables and columns that Neotoma does not know: carried cell for cell, or named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import ConflictsFound
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.neotoma.tables.carried import LEGACY
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.text import plan_text
from tests.conftest import Recover
from tests.support.databases import make_database, observation, read_all

ODD_NAMES = (
    'with "quotes"',
    "it's",
    "a b",
    "select",
    "схема",
    "*",
    "^.*$",
    "_rowid",
    "_origin",
    "=x",
    "%",
    "semi;colon",
    "insert_records",
    "..",
    "a/b",
    "\x1b[31mred",
)


def run(path: Path, *statements: str) -> Path:
    """Execute statements on a database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def pair(tmp_path: Path, *statements: str) -> tuple[Path, Path]:
    """Return an empty target, and a backup in which the statements were executed."""
    target = make_database(tmp_path / "target.db")
    return target, run(make_database(tmp_path / "backup.db"), *statements)


def counts_of(report: RecoveryReport, table: str) -> RowCounts:
    (counts,) = (c for c in report.tables if c.table == table)
    return counts


def reasons(report: RecoveryReport) -> dict[str, str]:
    return {f.subject: f.detail for f in report.findings if f.kind in ("carried", "not-carried")}


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


CELLS = (
    "(1, 'a')",
    "(2, 1)",
    "(3, 1.0)",
    "(4, 0.1)",
    "(5, NULL)",
    "(6, x'00ff')",
    "(7, '')",
    "(8, CAST(x'61006200' AS TEXT))",
    "(9, CAST(x'c328' AS TEXT))",
    "(10, 9223372036854775807)",
    "(11, -9e999)",
    "(12, 'it''s \"so\"')",
)


@pytest.mark.parametrize("declared", ["", "TEXT", "INTEGER", "NUMERIC", "VARCHAR(20)", "REAL"])
def test_every_cell_of_an_unknown_table_is_carried_and_twice_is_once(
    declared: str, tmp_path: Path, run_recover: Recover
) -> None:
    target, backup = pair(
        tmp_path,
        f"CREATE TABLE extra (id INTEGER PRIMARY KEY, cell {declared})",
        f"INSERT INTO extra VALUES {', '.join(CELLS)}",
    )
    report = run_recover(target, backup)
    assert counts_of(report, "extra").inserted == len(CELLS)
    query = "SELECT id, typeof(cell), hex(cell) FROM extra ORDER BY id"
    assert rows(target, query) == rows(backup, query)
    again = run_recover(target, backup, mode="safe")
    assert again.outcome == "unchanged"
    assert counts_of(again, "extra").identical == len(CELLS)


def test_an_unknown_table_is_made_as_the_backup_states_it(
    tmp_path: Path, run_recover: Recover
) -> None:
    target, backup = pair(
        tmp_path,
        "CREATE TABLE extra (a TEXT NOT NULL, b DOUBLE PRECISION, c 'odd; type' DEFAULT (1 + 1), "
        "d INT DEFAULT 7, PRIMARY KEY (b, a))",
        "CREATE UNIQUE INDEX extra_d ON extra (d)",
        "INSERT INTO extra VALUES ('x', 1.5, 2, 3)",
    )
    report = run_recover(target, backup)
    assert rows(target, "PRAGMA table_info(extra)") == [
        (0, "a", "TEXT", 1, None, 2),
        (1, "b", "DOUBLE PRECISION", 0, None, 1),
        (2, "c", "NUMERIC", 0, None, 0),
        (3, "d", "INT", 0, "7", 0),
    ]
    assert "without its indexes: extra_d" in reasons(report)["extra"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_may_be_anything(name: str, tmp_path: Path, run_recover: Recover) -> None:
    table, column = quote(name), quote(name + "2")
    target, backup = pair(
        tmp_path,
        f"CREATE TABLE {table} ({quote(name)} TEXT PRIMARY KEY, {column} TEXT)",
        f"INSERT INTO {table} VALUES ('k', 'v'), (NULL, 'w')",
        f"ALTER TABLE observations ADD COLUMN {quote(name)}",
        "INSERT INTO observations (id, entity_id, entity_type, schema_version, observed_at, "
        f"fields, {quote(name)}) VALUES ('o', 'e', 'note', '1.0', '2026-02-01', '{{}}', 5)",
    )
    report = run_recover(target, backup)
    assert rows(target, f"SELECT * FROM {table}") == [("k", "v"), (None, "w")]
    assert rows(target, f"SELECT {quote(name)} FROM observations") == [(5,)]
    assert run_recover(target, backup, mode="safe").outcome == "unchanged"
    assert {name, f"observations.{name}"} <= reasons(report).keys()
    assert all(line.isprintable() for line in plan_text(report).splitlines())


@pytest.mark.parametrize("taken", [("rowid",), ("rowid", "oid"), ("_ROWID_", "RowId")])
def test_columns_may_hide_the_usual_names_of_row_numbers(
    taken: tuple[str, ...], tmp_path: Path, run_recover: Recover
) -> None:
    columns = ", ".join(f"{name} TEXT" for name in taken)
    statements = [f"CREATE TABLE extra (k TEXT PRIMARY KEY, {columns})"]
    statements += [f"ALTER TABLE observations ADD COLUMN {name} TEXT" for name in taken]
    marks = ", ".join("'x'" for _ in taken)
    target, backup = pair(
        tmp_path,
        *statements,
        f"INSERT INTO extra VALUES ('k', {marks})",
        "INSERT INTO observations (id, entity_id, entity_type, schema_version, observed_at, "
        f"fields, {', '.join(taken)}) VALUES ('o', 'e', 'note', '1.0', '2026-02-01', '{{}}', "
        f"{marks})",
    )
    run_recover(target, backup)
    assert rows(target, "SELECT * FROM extra") == [("k", *("x" for _ in taken))]
    assert rows(target, f"SELECT {', '.join(taken)} FROM observations") == [
        tuple("x" for _ in taken)
    ]
    run(backup, f"UPDATE extra SET {taken[0]} = 'y'")
    run_recover(target, backup, mode="keep-source")
    assert rows(target, f"SELECT {taken[0]} FROM extra") == [("y",)]


def test_a_table_whose_columns_hide_its_row_numbers_is_named(
    tmp_path: Path, run_recover: Recover
) -> None:
    target, backup = pair(
        tmp_path,
        "CREATE TABLE extra (rowid TEXT, oid TEXT, _rowid_ TEXT)",
        "INSERT INTO extra VALUES ('a', 'b', 'c')",
    )
    counts = counts_of(run_recover(target, backup), "extra")
    assert counts.reasons == {"its columns hide the numbers of its rows": 1}


def test_legacy_tables_are_carried_untouched(tmp_path: Path, run_recover: Recover) -> None:
    made = [f"CREATE TABLE {name} (id TEXT PRIMARY KEY, data TEXT)" for name in sorted(LEGACY)]
    filled = [f"INSERT INTO {name} VALUES ('a', '{name}')" for name in sorted(LEGACY)]
    target, backup = pair(tmp_path, *made, *filled)
    report = run_recover(target, backup)
    for name in LEGACY:
        assert rows(target, f"SELECT * FROM {name}") == [("a", name)]
        assert "Neotoma drops it" in reasons(report)[name]


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


def test_known_names_in_another_case_are_neotomas_own(tmp_path: Path, run_recover: Recover) -> None:
    target, backup = pair(
        tmp_path,
        "ALTER TABLE observations RENAME TO obs",
        "ALTER TABLE obs RENAME TO OBSERVATIONS",
        "ALTER TABLE OBSERVATIONS RENAME COLUMN fields TO Fields",
    )
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        row = observation("o1")
        names = ", ".join(row)
        connection.execute(
            f"INSERT INTO observations ({names}) VALUES ({', '.join('?' * len(row))})",
            tuple(row.values()),
        )
    assert counts_of(run_recover(target, backup), "observations").inserted == 1
    assert rows(target, "SELECT fields FROM observations") == [('{"title":"o1"}',)]
