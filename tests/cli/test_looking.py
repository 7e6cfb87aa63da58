"""Looking at entities and comparing copies, as a user types it."""

import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from tests.cli.conftest import Midden
from tests.support.databases import entity, make_database, observation


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return make_database(
        tmp_path / "data" / "neotoma.db",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [
                observation("o1", "e1", fields='{"title":"Café SECRET"}'),
                observation("o2", "e2", fields='{"title":"Cafe secret"}'),
            ],
        },
    )


def test_several_that_match_are_listed_and_end_with_2(people: Path, midden: Midden) -> None:
    several = midden("show", "CAFE SECRET", "--target", people)
    assert several.returncode == 2
    assert "e1   note   Café SECRET" in several.stdout
    assert "e2   note   Cafe secret" in several.stdout
    one = midden("show", "e1", "--target", people, "--json")
    assert orjson.loads(one.stdout)["fields"][0]["value"] == "Café SECRET"
    hidden = midden("show", "e1", "--target", people, "--no-values")
    assert hidden.returncode == 0
    assert "o1" in hidden.stdout
    assert "SECRET" not in hidden.stdout
    none = midden("show", "cafe secreet", "--target", people)
    assert none.returncode == 2
    assert "e2 (note)" in none.stderr
    assert not any(word in none.stderr for word in ("SECRET", "secret", "Café"))


def test_a_backup_by_number_and_a_remote_by_name_are_looked_at(
    people: Path, midden: Midden, tmp_path: Path
) -> None:
    assert midden("backup", "--target", people).returncode == 0
    (tmp_path / "store").mkdir()
    store = (tmp_path / "store").as_uri()
    identity = tmp_path / "one.identity"
    words = ("--target", people, "--identity-file", identity)
    added = midden("remote", "add", "away", store, *words, "--yes")
    assert added.returncode == 0, added.stderr
    pushed = midden("push", "--target", people)
    assert pushed.returncode == 0, pushed.stderr
    with closing(sqlite3.connect(people)) as connection, connection:
        connection.execute("""UPDATE observations SET fields = '{"title":"x"}' WHERE id = 'o1'""")
    for place in ("1", "away"):
        shown = midden("show", "e1", "--in", place, *words)
        assert "Café SECRET" in shown.stdout, shown.stderr
        differing = midden("diff", place, people, *words)
        assert "1 note changed" in differing.stdout, differing.stderr
        assert "SECRET" not in differing.stdout
    merges = midden("merges", "--target", people)
    assert "0 merges, 0 splits" in merges.stdout, merges.stderr


def test_a_recovery_names_the_command_that_compares_and_it_runs(
    people: Path, midden: Midden, tmp_path: Path
) -> None:
    target = make_database(tmp_path / "target.db", {"observations": [observation("o9", "e9")]})
    words = ("recover", "--target", target, "--backup", people, "--yes", "--same-database")
    done = midden(*words)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("compare")]
    before, after = line.split()[-2:]
    assert after == str(target)
    compared = midden("diff", before, after)
    assert "2 notes new" in compared.stdout, compared.stderr


def test_a_plan_with_conflicts_names_the_commands_that_show_them_and_they_run(
    people: Path, midden: Midden, tmp_path: Path
) -> None:
    target = tmp_path / "target.db"
    target.write_bytes(people.read_bytes())
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute("UPDATE entities SET canonical_name = 'other' WHERE id = 'e1'")
    plan = midden("recover", "--target", target, "--backup", people, "--dry-run")
    assert plan.returncode == 0, plan.stderr
    commands = {
        line.split()[0]: shlex.split(line.partition(": ")[2])
        for line in plan.stdout.splitlines()
        if line.startswith(("compare", "show"))
    }
    assert commands["show"][:3] == ["midden", "show", "e1"]
    shown = midden(*commands["show"][1:])
    assert "e1" in shown.stdout, shown.stderr
    assert midden(*commands["compare"][1:]).returncode == 0
