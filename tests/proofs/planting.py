"""Planting the wrong write that one proof is there to catch, and seeing that proof named."""

import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from neotoma_core.errors import VerificationFailed
from neotoma_core.files.atomic import Subject, observe_with_subject
from neotoma_core.publication.proofs import Check

Plant = Callable[[sqlite3.Connection], None]

UNUSABLE_KEY = (
    "CREATE TABLE parent (a)",
    "CREATE TABLE child (a REFERENCES parent (a))",
    "INSERT INTO child VALUES (1)",
)
"""A foreign key that SQLite cannot look into, since nothing makes the other column a key."""

FOREIGN_KEYS = (
    "INSERT INTO local_auth_users VALUES ('u', 'm', 'h', 's', 'now', 'now', NULL, 0)",
    "INSERT INTO sandbox_sessions VALUES ('u', 'h', NULL, 'p', 'now', 'then', NULL)",
    "INSERT INTO sandbox_sessions VALUES ('nobody', 'h', NULL, 'p', 'now', 'then', NULL)",
    *UNUSABLE_KEY,
)
"""A foreign key that leads somewhere, one that leads nowhere already, and one of that kind."""

BROKEN_KEY = "UPDATE sandbox_sessions SET user_id = 'x' WHERE user_id = 'u'"

_WIDE = ", ".join(f"user_id || {n}" for n in range(30))  # so that SQLite counts rows otherwise


@dataclass(frozen=True)
class Fault:
    """A wrong write in a transaction, the proof that must fail of it, and words it must say."""

    proof: str
    says: str
    plant: Plant
    step: str = "derived_written"


def fault(proof: str, says: str, *statements: str) -> Fault:
    """Return the fault of executing ``statements``; each changes at least one row."""

    def plant(connection: sqlite3.Connection) -> None:
        for statement in statements:
            changed = connection.execute(statement).rowcount
            assert changed > 0, statement

    return Fault(proof, says, plant)


def reduction_faults(entity: str, observation: str, elsewhere: str, of: int) -> dict[str, Fault]:
    """Return what the sample that is reduced again must catch, one of ``of`` being wrong.

    ``entity``: whose snapshot is written; ``observation``: one of its, which also goes to another
    entity, ``elsewhere``.
    """
    proof, says = "re-reduced", f"1 of {of}"
    places = ("staging.write_entity_snapshots", "main.entity_snapshots")
    changed = "SET observation_count = 7 WHERE entity_id"
    return {
        "a snapshot reduced wrongly": fault(
            proof, says, *(f"UPDATE {place} {changed} = '{entity}'" for place in places)
        ),
        "an observation that became unreadable": fault(
            proof, says, f"UPDATE observations SET fields = '[' WHERE id = '{observation}'"
        ),
        "an observation that went missing": fault(
            proof,
            says,
            f"UPDATE observations SET entity_id = '{elsewhere}' WHERE id = '{observation}'",
        ),
    }


def stray_write(statement: str, step: str = "log_written") -> Fault:
    """Return the fault of a row that is written to although it was to stay as it is."""
    wrong = fault("accounted", "rows were written or deleted", statement)
    return replace(wrong, step=step)


def short_index(table: str, says: str = "index planted") -> Fault:
    """Return the fault of an index of ``table`` that has none of its rows."""
    index = f"CREATE INDEX planted ON {table} ({_WIDE})"

    def plant(connection: sqlite3.Connection) -> None:
        with schema_writable(connection):
            connection.execute(f"{index} WHERE 0")
            connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'planted'", (index,))

    return Fault("intact", says, plant)


def damage_page(table: str, says: str = "btreeInitPage() returns error code 11") -> Fault:
    """Return the fault of an index of ``table`` whose root is not a page of an index."""

    def plant(connection: sqlite3.Connection) -> None:
        connection.execute(f"CREATE INDEX planted ON {table} ({_WIDE})")
        lose_root(connection, table, "planted")

    return Fault("intact", says, plant)


def lose_root(connection: sqlite3.Connection, table: str, name: str) -> None:
    """Let a table or index ``name`` begin on a page that a long key of ``table`` runs over onto."""
    with schema_writable(connection):
        connection.execute(f"CREATE INDEX long ON {table} (zeroblob(200000))")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(
            "UPDATE sqlite_schema SET rootpage = ? WHERE name = ?", (pages - 1, name)
        )
        connection.execute("DELETE FROM sqlite_schema WHERE name = 'long'")


@contextmanager
def schema_writable(connection: sqlite3.Connection) -> Iterator[None]:
    """Let the block write to the schema as to a table; the schema is read again after it."""
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, False)  # noqa: FBT003 - by place only
    connection.execute("PRAGMA writable_schema = ON")
    yield
    connection.execute("PRAGMA writable_schema = RESET")


@contextmanager
def plant_at(plant: Plant, step: str = "derived_written") -> Iterator[None]:
    """Plant in the transaction of each publication inside the block, when it reaches ``step``."""
    times = 0

    def observe(reached: str, subject: Subject) -> None:
        nonlocal times
        if reached == step:
            assert isinstance(subject, sqlite3.Connection)
            plant(subject)
            times += 1

    with observe_with_subject(observe):
        yield
    assert times == 1


def assert_caught(wrong: Fault, target: Path, run: Callable[[], object]) -> None:
    """Run with the fault planted: its proof and no other fails, and the target is as it was."""
    before = files_of(target)
    with plant_at(wrong.plant, wrong.step), pytest.raises(VerificationFailed) as caught:
        run()
    assert [line.partition(":")[0] for line in caught.value.failed] == [wrong.proof]
    assert wrong.says in caught.value.failed[0], caught.value.failed
    assert files_of(target) == before


def assert_each_proof_has_a_fault(checks: Sequence[Check], faults: Sequence[Fault]) -> None:
    """Assert that no proof of a run passes without a fault that it was seen to catch."""
    assert [check.name for check in checks] == list(dict.fromkeys(f.proof for f in faults))


def files_of(database: Path) -> dict[str, bytes]:
    """Return the bytes of a database and of the files next to it that have its name."""
    return {path.name: path.read_bytes() for path in database.parent.glob(f"*{database.name}*")}
