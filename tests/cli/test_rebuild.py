"""``midden rebuild`` as a user runs it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from tests.cli.conftest import Midden
from tests.support.databases import count, entity, make_database, observation


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return make_database(
        tmp_path / "data" / "neotoma.db",
        {
            "entities": [entity("e1"), entity("e2", entity_type="task")],
            "observations": [
                observation("a", "e1"),
                observation("b", "e2", entity_type="task"),
            ],
        },
    )


def test_drift_is_told_by_the_exit_code(target: Path, midden: Midden) -> None:
    before = target.read_bytes()
    checked = midden("rebuild", "--target", target, "--check")
    assert checked.returncode == 5
    assert "missing" in checked.stdout
    assert target.read_bytes() == before
    done = midden("rebuild", "--target", target, "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "undo       midden restore " in done.stdout
    assert count(target, "entity_snapshots") == 2
    again = midden("rebuild", "--target", target, "--check")
    assert again.returncode == 0
    assert "no drift" in again.stdout


def test_the_undo_that_is_printed_works(target: Path, midden: Midden) -> None:
    done = midden("rebuild", "--target", target, "--yes")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("undo")]
    undone = midden(*line.split()[2:], "--yes")
    assert undone.returncode == 0
    assert count(target, "entity_snapshots") == 0


def test_drift_as_json_has_ids_and_fields(target: Path, midden: Midden) -> None:
    midden("rebuild", "--target", target, "--yes")
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        changed = "UPDATE entity_snapshots SET snapshot = ? WHERE entity_id = 'e1'"
        connection.execute(changed, ('{"title":"planted"}',))
    done = midden("rebuild", "--target", target, "--check", "--json")
    assert done.returncode == 5
    (item,) = json.loads(done.stdout)["drifted"]
    assert (item["kind"], item["id"], item["fields"]) == ("stale", "e1", ["title"])
    assert "planted" not in done.stdout


def test_a_dry_run_writes_nothing_and_succeeds(target: Path, midden: Midden) -> None:
    done = midden("rebuild", "--target", target, "--dry-run", "--type", "task")
    assert done.returncode == 0
    assert "only part of them checked" in done.stdout
    assert count(target, "entity_snapshots") == 0


def test_a_parquet_file_is_written(target: Path, midden: Midden, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    done = midden("rebuild", "--target", target, "--as-of", "2027-01-01", "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert pl.read_parquet(out)["entity_id"].to_list() == ["e1", "e2"]
    assert count(target, "entity_snapshots") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--as-of", "2026-01-01"), "--out"),
        (("--knowledge", "2026-01-01"), "--out"),
        (("--check", "--out", "x.parquet"), "leave one out"),
        (("--out", "x.parquet", "--as-of", "teatime"), "not a time"),
        (("--entity", "e9", "--yes"), "no entity e9"),
        (("--schemas", "absent.json", "--check"), "no such file"),
        ((), "standard input is not a terminal"),
    ],
)
def test_wrong_words_are_named(
    words: tuple[str, ...], message: str, target: Path, midden: Midden
) -> None:
    done = midden("rebuild", "--target", target, *words)
    assert done.returncode in (2, 10)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
