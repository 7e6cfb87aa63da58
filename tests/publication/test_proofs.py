"""What the proofs of a write compare, cell by cell."""

import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest

from neotoma_core.neotoma.schemas import Registry
from neotoma_core.publication.proofs import prove_reduction
from neotoma_core.reduce.exact.reading import EntitySnapshotRow
from neotoma_core.reduce.exact.users import NOBODY
from neotoma_core.snapshots.choosing import AUTO, choose_rules
from neotoma_core.snapshots.reading import Rules
from tests.support.databases import entity, insert, loosen, make_database, observation
from tests.support.rebuilding import rebuild

REDUCED = [field.name for field in fields(EntitySnapshotRow) if field.name != "entity_id"]
ONE_DIFFERS = ["1 of 3 entity snapshots differ"]


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_database(
        tmp_path_factory.mktemp("rebuilt") / "target.db",
        {
            "entities": [entity("e1"), entity("e2"), entity("odd")],
            "observations": [
                observation("o1"),
                observation("o2", "e2"),
                observation("o3", "odd", source_priority=99.5, schema_version=b"1.0"),
                observation("o4", "odd", source_priority="99", schema_version=b"2.0"),
            ],
        },
    )
    rebuild(path)
    return path


@pytest.fixture
def connection(rebuilt: Path) -> Iterator[sqlite3.Connection]:
    """A transaction that is rolled back."""
    with closing(sqlite3.connect(rebuilt, isolation_level=None)) as opened:
        opened.execute("BEGIN")
        yield opened


def differing(connection: sqlite3.Connection, unreadable: Collection[str] = ()) -> list[str]:
    rules = Rules(Registry(), choose_rules(AUTO, (), Registry()))
    sample = dict.fromkeys(("e1", "e2", "odd"), NOBODY)
    _, problems = prove_reduction(connection, sample, unreadable, rules, None)
    return problems


def test_what_was_reduced_is_what_it_reduces_to(connection: sqlite3.Connection) -> None:
    assert differing(connection) == []


@pytest.mark.parametrize("column", REDUCED)
def test_every_cell_of_a_snapshot_is_reduced_again(
    column: str, connection: sqlite3.Connection
) -> None:
    connection.execute(f"UPDATE entity_snapshots SET {column} = 'x' WHERE entity_id = 'e1'")
    assert differing(connection) == ONE_DIFFERS


def test_an_observation_that_takes_no_part_hides_none_that_does(
    connection: sqlite3.Connection,
) -> None:
    insert(connection, "observations", observation("o9", observed_at="2026-03-01T00:00:00.000Z"))
    assert differing(connection) == ONE_DIFFERS
    assert differing(connection, ["o9"]) == []
    assert differing(connection, ["o1", "o9"]) == ONE_DIFFERS


def test_of_rows_with_one_id_the_first_takes_part(rebuilt: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(rebuilt, tmp_path))
    loosen(path, "observations")
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        insert(opened, "observations", observation("o1", observed_at="2026-03-01T00:00:00.000Z"))
        assert differing(opened) == []


@pytest.mark.parametrize("table", ["entity_snapshots", "observations"])
def test_a_snapshot_without_observations_or_the_other_way_round(
    table: str, connection: sqlite3.Connection
) -> None:
    connection.execute(f"DELETE FROM {table} WHERE entity_id = 'e1'")
    assert differing(connection) == ONE_DIFFERS
