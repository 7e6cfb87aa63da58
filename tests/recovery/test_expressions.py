"""A healthy database may compute: indexes, columns and rules on JSON are not damage."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import TargetRuined
from neotoma_core.sqlite.opening import connect_read_only
from tests.conftest import Recover
from tests.support.carrying import run
from tests.support.databases import count, entity, insert, make_database, observation
from tests.support.rebuilding import check, rebuild

COLUMN = "ALTER TABLE observations ADD COLUMN title TEXT GENERATED ALWAYS AS"
COMPUTED = {
    "index": ["CREATE INDEX one ON observations (json_extract(fields, '$.title'))"],
    "arrow": ["CREATE INDEX one ON observations (fields ->> '$.title')"],
    "partial": ["CREATE INDEX one ON observations (entity_id) WHERE json_valid(fields)"],
    "column": [
        f"{COLUMN} (json_extract(fields, '$.title')) VIRTUAL",
        "CREATE INDEX one ON observations (title)",
    ],
    "of snapshots": ["CREATE INDEX one ON entity_snapshots (json_extract(snapshot, '$.title'))"],
    "rule": ["CREATE TABLE extra (id TEXT PRIMARY KEY, v TEXT CHECK (json_valid(v)))"],
}


def fill(path: Path, *ids: str) -> Path:
    return make_database(
        path,
        {
            "entities": [entity("e1")],
            "observations": [observation(i, fields='{"title":"x"}') for i in ids],
        },
    )


def is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("kind", COMPUTED)
def test_a_database_that_computes_on_json_is_healthy(
    kind: str, tmp_path: Path, run_recover: Recover
) -> None:
    target = run(fill(tmp_path / "target.db", "o1"), *COMPUTED[kind])
    backup = run(fill(tmp_path / "backup.db", "o1", "o2"), *COMPUTED[kind])
    assert run_recover(target, backup).outcome == "published"
    assert count(target, "observations") == 2
    assert is_sound(target)
    rebuild(target)
    assert check(target).drifted == ()
    new = make_database(tmp_path / "new.db")
    assert run_recover(new, target).after.observations == 2


def test_an_index_on_json_that_lacks_a_row_is_found(tmp_path: Path) -> None:
    target = run(fill(tmp_path / "target.db", "o1"), *COMPUTED["index"])
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        row = connection.execute("SELECT * FROM sqlite_schema WHERE name = 'one'").fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_schema WHERE name = 'one'")
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        insert(connection, "observations", observation("o3"))
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", row)
    with pytest.raises(TargetRuined, match="one"):
        check(target)


HOSTILE = {
    "plain": "load_extension('x')",
    "with a comment": "load_extension/* ( */ -- (\n ('x')",
    "quoted": "\"LOAD_EXTENSION\" ('x')",
    "in brackets": "[fts3_tokenizer](v)",
    "operator": "v MATCH 'x'",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_schema_that_does_more_than_compute_is_not_trusted(kind: str, tmp_path: Path) -> None:
    path = fill(tmp_path / "a.db", "o1")

    def is_trusted() -> bool:
        with closing(connect_read_only(path)) as connection:
            return bool(connection.execute("PRAGMA trusted_schema").fetchone()[0])

    run(path, *COMPUTED["rule"])
    assert is_trusted()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'json_valid(v)', "
            "'json_valid(v) OR ' || ?) WHERE name = 'extra'",
            (HOSTILE[kind],),
        )
    assert not is_trusted()
