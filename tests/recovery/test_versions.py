"""Every released version of Neotoma as a backup, and as a target."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.neotoma.ddl import create_database
from neotoma_core.neotoma.tables import BY_NAME, MERGED, TABLES, Table
from neotoma_core.neotoma.versions import release_of
from tests.conftest import Recover
from tests.neotoma.test_tables import columns_of, indexes_of
from tests.support.databases import read_all
from tests.support.versions import NEWEST, VERSIONS, Version, full_row, make_version

DERIVED = [table for table in TABLES if table.kind == "derived"]
RELATIONSHIP = {
    "relationship_type": "REFERS_TO",
    "entity_type": "note",
    "merged_to_entity_id": None,
    "schema_definition": '{"fields":{"title":{"type":"string"}}}',
    "reducer_config": '{"merge_policies":{"title":{"strategy":"last_write"}}}',
    "scope": "global",
    "active": 1,
    "aliases": "[]",
    "storage_mode": "inline",
    "sighting_source_id": None,
}
versions = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


def rows_of(version: Version, identifier: str) -> dict[str, list[dict[str, object]]]:
    """Return one full row for every merged table that ``version`` has."""
    return {
        table.name: [full_row(table, version, identifier, **RELATIONSHIP)]
        for table in MERGED
        if table.name in version.columns
    }


def read_rows(path: Path, table: Table) -> dict[object, dict[str, object]]:
    """Return the rows of a table by id, each as column → (storage class, cell)."""
    with closing(sqlite3.connect(path)) as connection:
        names = [r[1] for r in connection.execute(f"PRAGMA table_info({table.name})")]
        cells = ", ".join(f'typeof("{n}"), "{n}"' for n in names)
        rows = connection.execute(f"SELECT id, {cells} FROM {table.name}").fetchall()
    return {
        identifier: {
            name: (cells[2 * place], cells[2 * place + 1]) for place, name in enumerate(names)
        }
        for identifier, *cells in rows
    }


def fill(version: Version, table: Table, row: dict[str, object]) -> dict[str, object]:
    """Return a row as the newest version has it: missing columns as a migration fills them."""
    types = {int: "integer", str: "text", float: "real", type(None): "null"}
    whole: dict[str, object] = dict.fromkeys(table.names)
    for column in table.columns:
        if column.default and column.name not in version.columns.get(table.name, ()):
            whole[column.name] = column.default.strip("'")
    return {name: (types[type(cell)], cell) for name, cell in (whole | row).items()}


def assert_is_as_neotoma_would_make_it(target: Path) -> None:
    with closing(sqlite3.connect(target)) as ours, closing(sqlite3.connect(":memory:")) as newest:
        for statement in create_database(NEWEST.name):
            newest.execute(statement)
        for table in (*MERGED, *DERIVED):
            assert columns_of(ours, table.name) == columns_of(newest, table.name)
            assert indexes_of(ours, table.name) == indexes_of(newest, table.name)


@versions
def test_the_facts_of_columns_agree_with_the_released_versions(version: Version) -> None:
    names = [v.name for v in VERSIONS]
    for table in TABLES:
        for column in table.columns:
            since = column.since or table.since or VERSIONS[0].date
            there = column.name in version.columns.get(table.name, ())
            if since in names:
                assert there == (names.index(version.name) >= names.index(since)), column.name
            elif version.date != since:  # two shapes are of one day
                assert there == (version.date > since), column.name


def test_the_newest_version_has_every_known_column_and_index() -> None:
    assert NEWEST.columns == {table.name: frozenset(table.names) for table in TABLES}
    assert NEWEST.indexes == {index.name for table in TABLES for index in table.indexes}
    assert release_of({*NEWEST.columns, *NEWEST.indexes}) == NEWEST.name


@versions
def test_every_cell_of_an_older_backup_reaches_the_newest_target(
    version: Version, tmp_path: Path, run_recover: Recover
) -> None:
    rows = rows_of(version, "old")
    backup = make_version(tmp_path / "old.db", version, rows)
    target = make_version(tmp_path / "target.db", NEWEST, rows_of(NEWEST, "new"))
    report = run_recover(target, backup)
    assert {c.table: c.inserted for c in report.tables if c.read} == dict.fromkeys(rows, 1)
    for name, (row,) in rows.items():
        assert read_rows(target, BY_NAME[name])["old"] == fill(version, BY_NAME[name], row)
    assert run_recover(target, backup).outcome == "unchanged"


@versions
def test_every_cell_of_the_newest_backup_reaches_an_older_target_which_becomes_newest(
    version: Version, tmp_path: Path, run_recover: Recover
) -> None:
    held, rows = rows_of(version, "old"), rows_of(NEWEST, "new")
    target = make_version(tmp_path / "target.db", version, held)
    backup = make_version(tmp_path / "new.db", NEWEST, rows)
    report = run_recover(target, backup, mode="safe")
    assert {c.table: c.inserted for c in report.tables} == {t.name: 1 for t in MERGED}
    for name, (row,) in rows.items():
        found = read_rows(target, BY_NAME[name])
        assert found["new"] == fill(NEWEST, BY_NAME[name], row)
        if name in held:
            assert found["old"] == fill(version, BY_NAME[name], held[name][0])
    assert_is_as_neotoma_would_make_it(target)
    assert run_recover(target, backup).outcome == "unchanged"


@versions
def test_a_merge_of_what_is_there_already_changes_nothing(
    version: Version, tmp_path: Path, run_recover: Recover
) -> None:
    rows = rows_of(version, "same")
    target = make_version(tmp_path / "target.db", version, rows)
    run_recover(target, make_version(tmp_path / "first.db", NEWEST))
    before = read_all(target)
    backup = make_version(tmp_path / "backup.db", version, rows, shuffled=1)
    report = run_recover(target, backup, mode="safe")
    found = {count.table: count.identical for count in report.tables if count.read}
    assert found == dict.fromkeys(rows, 1)
    assert report.writes == 0
    assert read_all(target) == before


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_columns_never_matters(
    seed: int, tmp_path: Path, run_recover: Recover
) -> None:
    rows = rows_of(NEWEST, "new")
    plain = make_version(tmp_path / "plain.db", NEWEST)
    mixed = make_version(tmp_path / "mixed.db", NEWEST, shuffled=seed + 10)
    run_recover(plain, make_version(tmp_path / "a.db", NEWEST, rows))
    run_recover(mixed, make_version(tmp_path / "b.db", NEWEST, rows, shuffled=seed))
    for name in rows:
        assert read_rows(mixed, BY_NAME[name]) == read_rows(plain, BY_NAME[name])


def test_a_rule_that_older_rows_break_is_left_out_as_neotoma_must(
    tmp_path: Path, run_recover: Recover
) -> None:
    twice = [
        full_row(BY_NAME["sources"], VERSIONS[0], name, content_hash="h", user_id="u")
        for name in ("a", "b")
    ]
    target = make_version(tmp_path / "target.db", VERSIONS[0], {"sources": twice})
    backup = make_version(tmp_path / "new.db", NEWEST, rows_of(NEWEST, "new"))
    report = run_recover(target, backup)
    assert report.outcome == "published"
    with closing(sqlite3.connect(target)) as connection:
        names = {name for name, *_ in indexes_of(connection, "sources")}
    assert "idx_sources_content_hash_user" not in names
