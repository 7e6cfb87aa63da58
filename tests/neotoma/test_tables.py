"""The table facts, held against a database that Neotoma itself made."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.neotoma.ddl import create_database
from neotoma_core.neotoma.tables import BY_NAME, MERGED, SECRET, TABLES, Table, kind_of
from neotoma_core.neotoma.versions import SETTLED, tables_at
from tests.conftest import FIXTURES

OWN = "sqlite_"


def columns_of(connection: sqlite3.Connection, table: str) -> dict[str, tuple[object, ...]]:
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return {name: (kind, required, default, key) for _, name, kind, required, default, key in rows}


def indexes_of(connection: sqlite3.Connection, table: str) -> set[tuple[object, ...]]:
    listed = connection.execute(f"PRAGMA index_list({table})").fetchall()
    return {
        (
            name,
            unique,
            partial,
            tuple(c for _, _, c in connection.execute(f'PRAGMA index_info("{name}")')),
        )
        for _, name, unique, _, partial in listed
    }


OLD = tables_at(SETTLED)
NEWEST = json.loads((FIXTURES / "tables_0.25.json").read_text())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_derived_ddl_of_the_newest_release_is_what_neotoma_creates(table: Table) -> None:
    stated = NEWEST[table.name]
    with closing(sqlite3.connect(":memory:")) as ours:
        for statement in create_database("v0.25.0"):
            ours.execute(statement)
        assert columns_of(ours, table.name) == {
            name: (kind, required, stated["defaults"].get(name), key)
            for name, kind, required, key in stated["columns"]
        }
        assert indexes_of(ours, table.name) == {
            (i["name"], i["unique"], i["partial"], tuple(i["columns"])) for i in stated["indexes"]
        }


def test_every_table_of_the_newest_release_has_a_kind() -> None:
    assert all(kind_of(name) for name in NEWEST)
    assert {table.name for table in TABLES} <= set(NEWEST)


@pytest.mark.parametrize("table", OLD, ids=lambda table: table.name)
def test_derived_ddl_is_what_neotoma_creates(table: Table, unpacked: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as ours,
        closing(sqlite3.connect(unpacked / "backups/neotoma.prod.db.db")) as theirs,
    ):
        for statement in create_database():
            ours.execute(statement)
        assert columns_of(ours, table.name) == columns_of(theirs, table.name)
        assert indexes_of(ours, table.name) == indexes_of(theirs, table.name)


def test_every_table_of_a_neotoma_database_has_a_kind(unpacked: Path) -> None:
    with closing(sqlite3.connect(unpacked / "backups/neotoma.prod.db.db")) as theirs:
        names = [
            name
            for (name,) in theirs.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
    assert len(names) == len(OLD) + 1  # and sqlite_sequence
    assert all(kind_of(name) for name in names)


def test_what_is_referred_to_is_merged_before_what_refers_to_it() -> None:
    places = {table.name: place for place, table in enumerate(MERGED)}
    for table in MERGED:
        for column in table.columns:
            if column.refers and column.refers != table.name:
                assert places[column.refers] < places[table.name]


def test_secret_tables_are_never_merged() -> None:
    secret = {table.name for table in TABLES if table.kind == "secret"}
    assert "mcp_oauth_connections" in secret
    assert not any(BY_NAME[name].merged for name in secret)


def test_who_a_pseudonym_stands_for_is_never_merged() -> None:
    assert kind_of("member_attribution_ids") == "personal"
    assert BY_NAME["member_attribution_ids"] not in (*MERGED, *SECRET)
