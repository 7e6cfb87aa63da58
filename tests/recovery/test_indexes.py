"""Indexes that have not what their table has: no page is damaged, and yet rows are not found."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import TargetRuined
from tests.conftest import Recover
from tests.support.databases import entity, insert, make_database, observation
from tests.support.rebuilding import check, rebuild

INDEX = "idx_observations_entity_id"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A database with an observation that an index does not know of."""
    path = make_database(tmp_path / "target.db", {"entities": [entity("e1")]})
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        row = connection.execute("SELECT * FROM sqlite_schema WHERE name = ?", (INDEX,)).fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_schema WHERE name = ?", (INDEX,))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        insert(connection, "observations", observation("o1"))
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", row)
    return path


def test_a_check_of_snapshots_finds_it(target: Path) -> None:
    with pytest.raises(TargetRuined, match=INDEX):
        check(target)


def test_a_rebuild_reads_and_writes_other_tables(target: Path) -> None:
    assert rebuild(target).derived[0].inserted == 1


def test_a_merge_into_it_makes_the_index_anew(
    target: Path, tmp_path: Path, run_recover: Recover
) -> None:
    backup = make_database(tmp_path / "backup.db", {"observations": [observation("o2")]})
    report = run_recover(target, backup)
    assert (report.outcome, report.after.observations) == ("published", 2)
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_backup_is_read_by_its_tables(target: Path, tmp_path: Path, run_recover: Recover) -> None:
    other = make_database(tmp_path / "other.db")
    assert run_recover(other, target).after.observations == 1


def test_rows_are_counted_by_their_table(
    target: Path, tmp_path: Path, run_recover: Recover
) -> None:
    """The smallest index, by which SQLite counts, has none of them."""
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("CREATE INDEX small ON observations (id IS NULL) WHERE 0")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, ' WHERE 0', '') WHERE name = 'small'"
        )
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT count(*) FROM observations").fetchone() == (0,)
    other = make_database(tmp_path / "other.db")
    assert run_recover(other, target).after.observations == 1
    report = rebuild(target)
    assert (report.observations, report.derived[0].inserted) == (1, 1)
