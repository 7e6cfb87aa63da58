"""Which rows are still on a merged-away entity although the merge took them along."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from neotoma_core.neotoma.ddl import create_database
from neotoma_core.publication.merged_rows import find_zombies, read_pointers
from tests.support.databases import Row, entity, insert, observation

ROWS = [observation("anns", "gone", user_id="ann"), observation("bobs", "gone", user_id="bob")]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        for statement in create_database():
            opened.execute(statement)
        for row in ROWS:
            insert(opened, "observations", row)
        yield opened


def audit(**cells: object) -> Row:
    ends: Row = {"from_entity_id": "gone", "to_entity_id": "here", "user_id": "ann"}
    return {"id": "m", **ends, "created_at": "2026-03-01T00:00:00.000Z", **cells}


@pytest.mark.parametrize(
    ("audits", "left"),
    [
        pytest.param([audit()], {"anns"}, id="of whoever merged"),
        pytest.param([], {"anns", "bobs"}, id="of everybody, as nothing says who merged"),
        pytest.param([audit(user_id=None)], {"anns", "bobs"}, id="nor does this"),
        pytest.param([audit(to_entity_id="other")], {"anns", "bobs"}, id="nor of another merge"),
    ],
)
def test_the_rows_of_whoever_merged_must_have_moved(
    audits: list[Row], left: set[str], connection: sqlite3.Connection
) -> None:
    for row in (entity("here"), entity("gone", merged_to_entity_id="here")):
        insert(connection, "entities", row)
    for row in audits:
        insert(connection, "entity_merges", row)
    assert find_zombies(connection)["observations"] == left
    connection.execute("DROP TABLE entity_merges")
    assert find_zombies(connection)["observations"] == {"anns", "bobs"}


@pytest.mark.parametrize("to", ["gone", "nobody", "", None])
def test_a_pointer_to_itself_or_to_nobody_takes_nothing_along(
    to: str | None, connection: sqlite3.Connection
) -> None:
    insert(connection, "entities", entity("gone", merged_to_entity_id=to))
    assert read_pointers(connection) == {}
    assert find_zombies(connection) == {}
