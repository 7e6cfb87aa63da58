"""The exact reducer against what the real Neotoma computed, byte for byte."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

import pytest

from neotoma_core.neotoma.schemas import Registry
from neotoma_core.reduce.exact.failures import ReductionFails
from neotoma_core.reduce.exact.reading import ObservationRow, reduce_entity
from neotoma_core.reduce.exact.relationships import RelationshipObservationRow, reduce_relationship
from tests.conformance.cases import CASES, Case

Rows = dict[str, dict[str, Any]]


@pytest.fixture(params=CASES, ids=str, scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    assert isinstance(request.param, Case)
    return request.param


@pytest.fixture(scope="module")
def database(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(case.unpack(tmp_path_factory.mktemp("case") / "input.db"))
    connection.row_factory = sqlite3.Row
    yield connection
    connection.close()


def test_every_entity_snapshot_is_neotomas_byte_for_byte(
    case: Case, database: sqlite3.Connection
) -> None:
    stored = database.execute("SELECT * FROM schema_registry ORDER BY rowid")
    registry = Registry.from_rows([{**row, "active": str(row["active"])} for row in stored])
    pointing = (
        "SELECT id FROM entities WHERE merged_to_entity_id <> '' AND merged_to_entity_id <> id"
    )
    away = {identifier for (identifier,) in database.execute(pointing)}
    by_entity = defaultdict(list)
    for values in select(database, "observations", ObservationRow):
        row = ObservationRow(**values)
        if row.entity_id not in away or not case.rules.redirects:
            by_entity[row.entity_id].append(row)
    reduced: list[Any] = []
    failed: set[str] = set()
    for entity, rows in by_entity.items():
        try:
            reduced.append(reduce_entity(rows, registry, case.rules))
        except ReductionFails:
            failed.add(entity)
    expected = case.read_expected("entity_snapshots")
    assert in_columns_of(expected, reduced, "entity_id") == expected
    assert case.failing is None or failed == case.failing


def test_every_relationship_snapshot_is_neotomas_byte_for_byte(
    case: Case, database: sqlite3.Connection
) -> None:
    by_key = defaultdict(list)
    for values in select(database, "relationship_observations", RelationshipObservationRow):
        row = RelationshipObservationRow(**values)
        by_key[row.relationship_key].append(row)

    reduced = [reduce_relationship(rows, now="") for rows in by_key.values()]

    expected = case.read_expected("relationship_snapshots")
    assert in_columns_of(expected, reduced, "relationship_key") == expected


def select(connection: sqlite3.Connection, table: str, row: type[Any]) -> list[dict[str, Any]]:
    columns = ", ".join(field.name for field in fields(row))  # rowid is one that SQLite knows
    return [dict(found) for found in connection.execute(f"SELECT {columns} FROM {table}")]


def in_columns_of(expected: Rows, reduced: list[Any], key: str) -> Rows:
    """Return the snapshots by key, with the columns that the expected ones have."""
    columns = next(iter(expected.values()))
    snapshots = (asdict(snapshot) for snapshot in reduced if snapshot is not None)
    return {row[key]: {column: row[column] for column in columns} for row in snapshots}
