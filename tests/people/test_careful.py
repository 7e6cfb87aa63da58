"""Careful: sees the plan and both values of every conflict, decides, applies, undoes, redoes."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.people.conftest import LARGEST, TARGET, WHOLE, Person, line_behind
from tests.support.databases import count

OTHER = "changed by hand"


def name_of(database: Path, entity: str) -> str:
    with closing(sqlite3.connect(database)) as connection:
        (name,) = connection.execute(
            "SELECT canonical_name FROM entities WHERE id = ?", [entity]
        ).fetchone()
        return str(name)


def rows_of(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(file).read_text().splitlines()]


def test_every_conflict_is_seen_decided_undone_and_redone(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(person.target)) as connection, connection:
        shared = "SELECT id FROM main.entities INTERSECT SELECT id FROM other.entities"
        connection.execute("ATTACH ? AS other", [str(person.home / LARGEST)])
        both = [row[0] for row in connection.execute(f"{shared} LIMIT 2")]
        connection.executemany(
            "UPDATE main.entities SET canonical_name = ? WHERE id = ?", [(OTHER, e) for e in both]
        )
    words = ("recover", "--target", TARGET, "--search", person.home)
    plan = person.report(*words, "--dry-run")
    earliest = person.report(*words, "--dry-run", "--reingested", "keep-earliest")
    assert plan["reingested"]["entities_differ"] == earliest["reingested"]["entities_differ"] > 0
    listed = rows_of(plan["conflicts"]["file"])
    assert {row["key"] for row in listed} == {*both}
    assert all({OTHER} < {*row["values"][0].values()} for row in listed)
    sent_again = rows_of(plan["reingested"]["file"])
    assert len({row["key"] for row in sent_again}) == len(sent_again) > 0

    undecided = person.say(
        *words, "--mode", "safe", "--yes", "--decisions", plan["conflicts"]["file"]
    )
    assert (undecided.returncode, "--decisions" in undecided.stderr) == (4, True)
    decided = tmp_path / "decided.jsonl"
    sides = dict(zip(both, ("source", "target"), strict=True))
    rows = [orjson.dumps({**row, "keep": sides[row["key"]]}) for row in listed]
    decided.write_bytes(b"\n".join(rows))
    done = person.accomplish(*words, "--mode", "safe", "--yes", "--decisions", decided)
    conflicts = [line for line in done.stdout.splitlines() if "canonical_name" in line]
    assert 0 < len(conflicts) <= len(listed)  # what is decided of one settles another
    assert max(map(len, conflicts)) <= 80
    assert count(person.target, "observations") == WHOLE
    assert name_of(person.target, both[0]) != OTHER == name_of(person.target, both[1])

    monkeypatch.chdir("/")
    agreed = "y\nneotoma.prod.db\n"
    undone = person.paste(line_behind(done.stdout, "undo"), typed=agreed)
    assert undone.returncode == 0, undone.stderr
    assert count(person.target, "observations") == 84
    redone = person.paste(line_behind(undone.stdout, "undo"), typed=agreed)
    assert redone.returncode == 0, redone.stderr
    assert count(person.target, "observations") == WHOLE
