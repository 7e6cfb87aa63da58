"""Tables that take every row of the only backup are written from it, and are what it has."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.recovery.applying import tables_taken_whole
from neotoma_core.recovery.recover import make_plan
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.runs.clock import Clock
from tests.conftest import NOW, Recover
from tests.proofs.planting import schema_writable
from tests.support.databases import entity, insert, loosen, make_database, observation, read_all


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    rows = [observation("b"), observation("c", provenance=b"\xff"), observation("a")]
    tables = {"entities": [entity("e1")], "observations": rows}
    return make_database(tmp_path / "backup.db", tables)


def taken_whole(target: Path, backup: Path, *more: Path) -> frozenset[str]:
    request = RecoverRequest(target, (backup, *more), backup.parent / "vault")
    with recovery_run(request, NOW) as run:
        return tables_taken_whole(make_plan(run, Silent(), Clock())) & {"entities", "observations"}


def change(backup: Path, *statements: str) -> None:
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def move_column(backup: Path) -> None:
    change(backup, "ALTER TABLE observations RENAME TO old")
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        (sql,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'old'").fetchone()
        names = [row[1] for row in connection.execute("PRAGMA table_info(old)")]
        assert '"user_id" TEXT, ' in sql
        moved = sql.replace('"user_id" TEXT, ', "").replace(
            '"old" (', 'observations ("user_id" TEXT, '
        )
        connection.execute(moved)
        listed = ", ".join(names)
        connection.execute(f"INSERT INTO observations ({listed}) SELECT {listed} FROM old")
        connection.execute("DROP TABLE old")


def lose_keys(backup: Path) -> None:
    """Let the index of the keys be that of a table without rows."""
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        root = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        indexes = tuple(f"sqlite_autoindex_{name}_1" for name in ("observations", "entity_merges"))
        pages = [connection.execute(root, (name,)).fetchone() for name in indexes]
        with schema_writable(connection):
            for name, (page,) in zip(indexes, reversed(pages), strict=True):
                update = "UPDATE sqlite_schema SET rootpage = ? WHERE name = ?"
                connection.execute(update, (page, name))


CHANGES: dict[str, Callable[[Path], None]] = {
    "nothing": lambda _: None,
    "numbers left out": lambda path: change(path, "DELETE FROM observations WHERE id = 'c'"),
    "high numbers": lambda path: change(path, f"UPDATE observations SET rowid = rowid + {1 << 60}"),
    "a column in another place": move_column,
    "no rules": lambda path: loosen(path, "observations"),
    "an index of keys without rows": lose_keys,
    "a column of its own": lambda path: change(
        path, "ALTER TABLE observations ADD COLUMN mine TEXT DEFAULT 'x'"
    ),
    "a column less": lambda path: change(path, "ALTER TABLE observations DROP COLUMN provenance"),
}


@pytest.mark.parametrize("altered", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("target", ["new", "empty"])
def test_every_row_is_there_as_it_was_and_found_by_its_key(
    target: str, altered: Callable[[Path], None], backup: Path, tmp_path: Path, run_recover: Recover
) -> None:
    altered(backup)
    path = tmp_path / "data" / "target.db"
    path.parent.mkdir()
    if target == "empty":
        make_database(path)
    assert run_recover(path, backup).outcome == "published"
    assert rows(path) == rows(backup)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def rows(path: Path) -> list[tuple[object, ...]]:
    """Return the observations as they are numbered, without numbers."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        return connection.execute(
            "SELECT id, entity_id, fields, user_id, source_priority, typeof(source_priority), "
            "observed_at FROM observations NOT INDEXED ORDER BY rowid"
        ).fetchall()


def test_all_rows_of_one_backup_are_taken_whole(backup: Path, tmp_path: Path) -> None:
    empty = make_database(tmp_path / "empty.db")
    both = {"entities", "observations"}
    assert taken_whole(tmp_path / "new.db", backup) == both
    assert taken_whole(empty, backup) == both


@pytest.mark.parametrize("there", ["other", "b"])
def test_a_table_with_rows_takes_none_whole(there: str, backup: Path, tmp_path: Path) -> None:
    """Nor where all its rows are the backup's: then there are as many afterwards as that has."""
    target = make_database(tmp_path / "target.db", {"observations": [observation(there)]})
    assert taken_whole(target, backup) == {"entities"}


def test_of_more_backups_none_is_taken_whole(backup: Path, tmp_path: Path) -> None:
    more = make_database(tmp_path / "more.db", {"entities": [entity("e2")]})
    assert taken_whole(tmp_path / "new.db", backup, more) == frozenset()


def test_a_table_of_which_a_row_is_set_aside_is_not_taken_whole(
    backup: Path, tmp_path: Path
) -> None:
    loosen(backup, "observations")
    with closing(sqlite3.connect(backup)) as connection, connection:
        insert(connection, "observations", observation("d", observed_at=None))
    assert taken_whole(tmp_path / "new.db", backup) == {"entities"}


def test_a_column_that_frames_call_otherwise_is_carried(
    backup: Path, tmp_path: Path, run_recover: Recover
) -> None:
    change(backup, "ALTER TABLE observations ADD COLUMN 'my own' TEXT DEFAULT 'x'")
    target = tmp_path / "data" / "new.db"
    target.parent.mkdir()
    assert taken_whole(target, backup) == {"entities"}
    run_recover(target, backup)
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute('SELECT "my own" FROM observations').fetchall() == [("x",)] * 3


def test_a_table_of_which_a_cell_is_rewritten_is_not_taken_whole(
    tmp_path: Path, run_recover: Recover
) -> None:
    """An observation of an entity that was merged away comes back on the one that stands for it."""
    merged = entity("e2", merged_to_entity_id="e1", merged_at="2026-03-01T00:00:00.000Z")
    tables = {"entities": [entity("e1"), merged], "observations": [observation("o", "e2")]}
    backup = make_database(tmp_path / "backup.db", tables)
    target = tmp_path / "new.db"
    assert taken_whole(target, backup) == {"entities"}
    run_recover(target, backup)
    assert read_all(target)["observations"] != read_all(backup)["observations"]
