"""Operator: twenty databases, one file, a vault and notifications for each."""

import json
from pathlib import Path

from tests.people.conftest import Person
from tests.support.databases import entity, make_database, observation

MANY = 20


def test_one_file_keeps_twenty_databases_apart(person: Person) -> None:
    lines = []
    for number in range(MANY):
        make_database(
            person.home / "all" / f"n{number}" / "neotoma.prod.db",
            {"entities": [entity("e1")], "observations": [observation(f"o{number}", "e1")]},
        )
        lines += [
            f"[databases.n{number}]",
            f'path = "all/n{number}/neotoma.prod.db"',
            f'vault = "vaults/n{number}"',
            f'metrics_file = "metrics/n{number}.prom"',
            "retention = { daily = 7 }",
            'page = "board.html"',
            'schedule = { every = "daily", at = "03:00" }',
        ]
    file = person.home / "midden.toml"
    file.write_text("\n".join(lines) + "\n")
    first = ("--config", file)
    person.accomplish(*first, "config", "check")
    asked = person.say(*first, "backup")
    assert (asked.returncode, "midden.toml names n0, n1" in asked.stderr) == (2, True)
    for number in range(MANY):
        person.accomplish(*first, "backup", "--target", f"n{number}", "--no-drill")
    listed = person.accomplish(*first, "status", "--html", "asked.html", "--json")
    board = json.loads(listed.stdout)["databases"]
    assert {Path(one["vault"]).name for one in board} == {f"n{n}" for n in range(MANY)}
    assert all(one["status"]["protection"]["backups"] == 1 for one in board)
    run = person.accomplish(*first, "schedule", "run", "--target", "n3")
    assert str(person.home / "all" / "n3" / "neotoma.prod.db") in run.stdout + run.stderr
    metrics = {path.stem: path.read_text() for path in (person.home / "metrics").iterdir()}
    assert all(f'vault="{name}"' in metrics[name] for name in metrics)
    assert len(metrics) == MANY
    assert "n19" in (person.home / "board.html").read_text()
