"""A database that is in use is not replaced, whoever asked before whether it was."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from neotoma_core.errors import TargetLocked
from neotoma_core.publication.replacing import replace_database
from tests.recovery.test_inputs import server_on
from tests.support.databases import entity, make_database, read_all


@contextmanager
def read_by_another_connection(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM entities").fetchone()
        yield


USERS = {"another process": server_on, "another connection": read_by_another_connection}


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("used_by", USERS)
def test_a_database_in_use_stays(used_by: str, tmp_path: Path, *, whole: bool) -> None:
    target = make_database(tmp_path / "target.db", {"entities": [entity("e1")]})
    other = make_database(tmp_path / "other.db")
    use: AbstractContextManager[None] = USERS[used_by](target)
    with use:
        before = read_all(target)
        with pytest.raises(TargetLocked):
            replace_database(target, other if whole else None)
        assert read_all(target) == before
    replace_database(target, other if whole else None)
    assert target.exists() == whole
    assert not whole or read_all(target) == read_all(other)
    assert sorted(tmp_path.iterdir()) == sorted({other, *([target] if whole else [])})
