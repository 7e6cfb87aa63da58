"""Deciding conflicts in a file, one user's rows, credentials: as a user would ask for them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson

from tests.cli.conftest import Midden
from tests.support.databases import entity, make_database, observation


def cells(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_a_refused_plan_is_decided_in_its_own_file(tmp_path: Path, midden: Midden) -> None:
    tables = {"entities": [entity("e1")]}
    here = [observation("o1", fields='{"title":"here"}'), observation("o2", fields='{"x":1}')]
    there = [observation("o1", fields='{"title":"there"}'), observation("o2", fields='{"x":2}')]
    target = make_database(tmp_path / "t.db", {**tables, "observations": here})
    other = make_database(tmp_path / "b.db", {**tables, "observations": there})
    words = ("recover", "--target", target, "--backup", other, "--mode", "safe", "--yes")
    assert midden(*words).returncode == 4
    (found,) = (tmp_path / "vault" / "reports").glob("*/conflicts.jsonl")
    records = [orjson.loads(line) for line in found.read_bytes().splitlines()]
    assert [(r["key"], r["keep"]) for r in records] == [("o1", None), ("o2", None)]
    sides = {"column": "fields", "target": {"title": "here"}, "source": {"title": "there"}}
    assert records[0]["values"] == [sides]
    assert found.stat().st_mode & 0o777 == 0o600
    assert midden(*words, "--decisions", found).returncode == 4
    for record, keep in zip(records, ("source", "target"), strict=True):
        record["keep"] = keep
    decided = tmp_path / "decided.json"
    decided.write_bytes(b"\n".join(map(orjson.dumps, records)))
    done = midden(*words, "--decisions", decided)
    assert done.returncode == 0, done.stderr
    fields = cells(target, "SELECT fields FROM observations ORDER BY id")
    assert fields == [('{"title":"there"}',), ('{"x":1}',)]


def test_a_decision_that_is_none_is_refused_and_not_repeated(
    tmp_path: Path, midden: Midden
) -> None:
    target = make_database(tmp_path / "t.db", {"observations": [observation("o1")]})
    other = make_database(tmp_path / "b.db", {"observations": [observation("o1")]})
    decisions = tmp_path / "d.json"
    record = {"backup": "backup-1", "table": "observations", "key": "o1", "keep": "SECRET"}
    decisions.write_bytes(orjson.dumps([record]))
    words = ("recover", "--target", target, "--backup", other, "--yes", "--decisions", decisions)
    done = midden(*words)
    assert done.returncode == 2
    assert "record 1: keep must be target, source or null" in done.stderr
    assert "SECRET" not in done.stderr


def test_one_users_rows_come_with_what_they_refer_to(tmp_path: Path, midden: Midden) -> None:
    target = make_database(tmp_path / "t.db")
    rows = [
        observation("mine", "shared", user_id="me"),
        observation("theirs", "private", user_id="them"),
    ]
    entities = [entity("shared", user_id="them"), entity("private", user_id="them")]
    other = make_database(tmp_path / "b.db", {"entities": entities, "observations": rows})
    words = ("recover", "--target", target, "--backup", other, "--yes", "--user", "me", "--json")
    done = midden(*words)
    assert done.returncode == 0, done.stderr
    assert cells(target, "SELECT id FROM observations") == [("mine",)]
    assert cells(target, "SELECT id FROM entities") == [("shared",)]
    assert "theirs" not in done.stdout
    assert "private" not in done.stdout


def test_credentials_come_only_when_asked_for_and_revoked_ones_never(
    tmp_path: Path, midden: Midden
) -> None:
    def token(identifier: str, connection: str, revoked: str | None = None) -> dict[str, object]:
        return {
            "id": identifier,
            "user_id": "u",
            "connection_id": connection,
            "refresh_token": f"token of {connection}",
            "revoked_at": revoked,
        }

    name = "mcp_oauth_connections"
    target = make_database(tmp_path / "t.db", {name: [token("a", "c1", "2026-03-01")]})
    old = [token("a", "c1"), token("other id", "c1"), token("b", "c2")]
    other = make_database(tmp_path / "b.db", {name: old, "observations": [observation("o1")]})
    words = ("recover", "--target", target, "--backup", other, "--yes", "--mode", "keep-source")
    assert midden(*words).returncode == 0
    held = f"SELECT id, revoked_at FROM {name} ORDER BY id"
    assert cells(target, held) == [("a", "2026-03-01")]
    done = midden(*words, "--include-auth")
    assert done.returncode == 0, done.stderr
    assert cells(target, held) == [("a", "2026-03-01"), ("b", None)]
    assert "token of" not in done.stdout + done.stderr
