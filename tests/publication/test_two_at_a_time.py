"""Proofs run two at a time once there is no transaction, and one after another within one."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.publication.proofs import Proof, prove_each
from neotoma_core.sqlite.untrusted import connect

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection with a database attached, in files of odd names."""
    main, other = (tmp_path / os.fsdecode(name) for name in (b"\xff ?#%.db", b"'other'.db"))
    with closing(connect(main)) as opened:
        opened.execute("ATTACH CAST(? AS TEXT) AS other", (os.fsencode(other),))
        opened.execute("CREATE TABLE main.here (a)")
        opened.execute("CREATE TABLE other.there (a)")
        opened.execute("INSERT INTO other.there VALUES (7)")
        yield opened


def prove(connection: sqlite3.Connection) -> Proof:
    (found,) = connection.execute("SELECT a FROM other.there, (SELECT count(*) FROM main.here)")
    return str(found), []


def test_two_wait_for_each_other_and_both_see_all_files(connection: sqlite3.Connection) -> None:
    both = threading.Barrier(2)

    def prove_together(using: sqlite3.Connection) -> Proof:
        both.wait(timeout=60)
        return prove(using)

    found = prove_each(connection, [(name, prove_together) for name in NAMES])
    assert found == [(name, ("(7,)", [])) for name in NAMES]


def test_in_a_transaction_the_connection_that_wrote_is_asked(
    connection: sqlite3.Connection,
) -> None:
    asked: list[sqlite3.Connection] = []

    def ask(using: sqlite3.Connection) -> Proof:
        asked.append(using)
        return prove(using)

    connection.execute("BEGIN")
    connection.execute("UPDATE other.there SET a = 8")
    assert prove_each(connection, [(name, ask) for name in NAMES]) == [
        (name, ("(8,)", [])) for name in NAMES
    ]
    assert set(asked) == {connection}


def test_what_fails_beside_fails_all(connection: sqlite3.Connection) -> None:
    both = threading.Barrier(2)

    def fail_beside(using: sqlite3.Connection) -> Proof:
        both.wait(timeout=60)
        if using is not connection:
            using.execute("SELECT 1 FROM nowhere")
        return prove(using)

    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        prove_each(connection, [(name, fail_beside) for name in NAMES[:2]])


def test_nothing_can_be_written_beside(connection: sqlite3.Connection) -> None:
    both = threading.Barrier(2)

    def write(using: sqlite3.Connection) -> Proof:
        both.wait(timeout=60)
        if using is not connection:
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                using.execute("INSERT INTO main.here VALUES (1)")
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                using.execute("INSERT INTO other.there VALUES (1)")
        return prove(using)

    assert len(prove_each(connection, [(name, write) for name in NAMES[:2]])) == 2
