"""SQLite → archive → SQLite is the identity on the log and the registry, cell for cell."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.neotoma.ddl import create_database
from neotoma_core.neotoma.tables import Table
from neotoma_core.row_versions.columns import ARCHIVED
from tests.support.archiving import archive, everything_in, log_of, rebuild
from tests.support.databases import USER, make_database, observation, source

TEXTS = st.one_of(
    st.sampled_from(["", "NULL", "1", "1.0", "é", "a\x00b", "it's", "x=t3:abc", '{"a":1e5}']),
    st.text(max_size=6),
)
CELLS = st.one_of(
    st.none(),
    TEXTS,
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([2**53 + 1, -(2**63), 2**63 - 1, 0, -0.0, 0.5, 1e300, float("inf"), -1e-320]),
    st.binary(max_size=4),
    st.binary(min_size=1, max_size=4).map(lambda raw: ("text", b"\xff" + raw)),
)


def rows_of(table: Table) -> st.SearchStrategy[list[dict[str, object]]]:
    cells = {c.name: CELLS for c in table.columns if c.name != "id"}
    required = {c.name for c in table.columns if c.required}
    row = st.fixed_dictionaries({}, optional=dict(cells)).map(
        lambda row: (
            {n: ("x" if v is None and n in required else v) for n, v in row.items()}
            | dict.fromkeys(required - set(row) - {"id"}, "x")
        )
    )
    return st.lists(row, max_size=3)


DATABASES = st.lists(st.sampled_from(ARCHIVED), min_size=1, max_size=3, unique=True).flatmap(
    lambda tables: st.fixed_dictionaries({table.name: rows_of(table) for table in tables})
)
KEYS = st.sampled_from([None, "a", "b", "ä", 7, b"k"])


@settings(max_examples=12, deadline=None)
@given(DATABASES, st.lists(KEYS, min_size=8, max_size=8))
def test_every_cell_comes_back_as_it_was(
    tables: Mapping[str, list[dict[str, object]]], keys: list[object]
) -> None:
    with TemporaryDirectory() as folder:
        original = Path(folder) / "db.sqlite"
        with closing(sqlite3.connect(original, isolation_level=None)) as connection:
            for statement in create_database("v0.25.0"):
                connection.execute(statement)
            numbers = iter(range(1000))
            for name, rows in tables.items():
                for row in rows:
                    key = keys[next(numbers) % len(keys)]
                    key = f"{key}{next(numbers)}" if isinstance(key, str) else key
                    put(connection, name, {"id": key, **row})
        archive(original, Path(folder) / "archive")
        back = rebuild(Path(folder) / "archive", Path(folder) / "back.sqlite")
        assert log_of(back) == log_of(original)
        again = archive(original, Path(folder) / "archive")
        assert again.outcome == "unchanged"


def put(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    """Insert one row, where no unique key refuses it; a pair is text of these bytes."""
    marks = ", ".join("CAST(? AS TEXT)" if isinstance(c, tuple) else "?" for c in row.values())
    cells = [cell[1] if isinstance(cell, tuple) else cell for cell in row.values()]
    names = ", ".join(row)
    connection.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", cells)


def test_a_column_that_neotoma_does_not_know_comes_back(tmp_path: Path) -> None:
    database = make_database(tmp_path / "db.sqlite", {"observations": [observation("o1")]})
    with closing(sqlite3.connect(database)) as connection:
        connection.execute('ALTER TABLE observations ADD COLUMN "new one"')
        connection.execute('UPDATE observations SET "new one" = 12.5')
        connection.commit()
    archive(database)
    assert log_of(rebuild(tmp_path / "archive", tmp_path / "back.sqlite")) == log_of(database)


def test_rows_come_back_in_the_order_in_which_they_were_stored(tmp_path: Path) -> None:
    rows = [observation(i) for i in ("c", "a", "b")]
    database = make_database(tmp_path / "db.sqlite", {"observations": rows[:2]})
    archive(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE observations SET entity_id = 'e9' WHERE id = 'c'")
        names = ", ".join(rows[2])
        marks = ", ".join("?" * len(rows[2]))
        connection.execute(
            f"INSERT INTO observations ({names}) VALUES ({marks})", tuple(rows[2].values())
        )
        connection.commit()
    archive(database)
    assert log_of(rebuild(tmp_path / "archive", tmp_path / "back.sqlite")) == log_of(database)


def test_secrets_and_queues_are_not_in_an_archive(tmp_path: Path) -> None:
    secret = {"id": "s", "user_id": USER, "connection_id": "c", "refresh_token": "planted-secret"}
    database = make_database(
        tmp_path / "db.sqlite",
        {"mcp_oauth_connections": [secret], "sources": [source("s1")]},
    )
    archive(database)
    stored = everything_in(tmp_path / "archive")
    assert "hash-s1" in stored  # the search finds what there is
    assert "planted-secret" not in stored
    assert not (tmp_path / "archive" / "mcp_oauth_connections").exists()
