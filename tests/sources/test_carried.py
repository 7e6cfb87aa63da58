"""Tables and columns that Neotoma does not know: carried cell for cell, or named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.neotoma.tables.carried import LEGACY
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.text import plan_text
from tests.conftest import Recover
from tests.support.carrying import counts_of, pair, rows, run
from tests.support.databases import observation

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
