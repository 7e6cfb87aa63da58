"""SQLite's online backup of databases that others have locked."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.sqlite import online_backup
from neotoma_core.sqlite.online_backup import copy_pages
from neotoma_core.sqlite.untrusted import connect, is_locked


@pytest.fixture(params=["source", "copy"])
def locked(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[sqlite3.Connection, sqlite3.Connection, sqlite3.Connection]]:
    """A source, a copy, and what holds the lock of one of them."""
    monkeypatch.setattr(online_backup, "_PATIENCE_SECONDS", 0.1)
    paths = {"source": tmp_path / "source.db", "copy": tmp_path / "copy.db"}
    with closing(connect(paths["source"])) as made:
        made.execute("CREATE TABLE t AS SELECT 'kept' AS cell")
    with (
        closing(connect(paths["source"], timeout=0)) as source,
        closing(connect(paths["copy"], timeout=0)) as copy,
        closing(connect(paths[request.param])) as holder,
    ):
        holder.execute("BEGIN EXCLUSIVE")
        yield source, copy, holder


def test_a_lock_that_stays_is_an_error(
    locked: tuple[sqlite3.Connection, sqlite3.Connection, sqlite3.Connection],
) -> None:
    source, copy, holder = locked
    with pytest.raises(sqlite3.OperationalError, match="database is locked") as caught:
        copy_pages(source, copy)
    assert is_locked(caught.value)
    holder.execute("ROLLBACK")
    copy_pages(source, copy)
    assert copy.execute("SELECT cell FROM t").fetchall() == [("kept",)]


def test_a_lock_that_goes_is_waited_for(
    locked: tuple[sqlite3.Connection, sqlite3.Connection, sqlite3.Connection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, copy, holder = locked
    asked: list[None] = []

    def now() -> float:
        if len(asked) == 2:
            holder.execute("ROLLBACK")
        asked.append(None)
        return 0.0

    monkeypatch.setattr(online_backup, "monotonic", now)
    copy_pages(source, copy)
    assert copy.execute("SELECT cell FROM t").fetchall() == [("kept",)]
    assert len(asked) >= 3
