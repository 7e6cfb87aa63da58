"""The exact reducer against what the real Neotoma 0.22.0 computed, byte for byte."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard

from neotoma_core.policies import Registry
from neotoma_core.reduce.exact import ObservationRow, reduce_entity
from neotoma_core.reduce.exact_relationships import RelationshipObservationRow, reduce_relationship
from neotoma_core.reduce.rule_sets import R22_MERGED

FIXTURES = Path(__file__).parents[2] / "data" / "fixtures"
Rows = dict[str, dict[str, Any]]


@pytest.fixture(params=["conformance_a", "conformance_b"], scope="module")
def case(request: pytest.FixtureRequest) -> Path:
    return FIXTURES / str(request.param)


@pytest.fixture(scope="module")
def database(case: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    unpacked = tmp_path_factory.mktemp(case.name) / "input.db"
    with (case / "input.db.zst").open("rb") as packed, unpacked.open("wb") as plain:
        zstandard.ZstdDecompressor().copy_stream(packed, plain)
    connection = sqlite3.connect(unpacked)
    connection.row_factory = sqlite3.Row
    yield connection
    connection.close()


def test_every_entity_snapshot_is_neotomas_byte_for_byte(
    case: Path, database: sqlite3.Connection
) -> None:
    stored = database.execute("SELECT * FROM schema_registry ORDER BY rowid")
    registry = Registry.from_rows([{**row, "active": str(row["active"])} for row in stored])
    by_entity = defaultdict(list)
    for values in selected(database, "observations", ObservationRow):
        row = ObservationRow(**values)
        by_entity[row.entity_id].append(row)

    reduced = [reduce_entity(rows, registry, R22_MERGED) for rows in by_entity.values()]

    expected = expected_rows(case, "entity_snapshots", "entity_id")
    assert in_columns_of(expected, reduced, "entity_id") == expected


def test_every_relationship_snapshot_is_neotomas_byte_for_byte(
    case: Path, database: sqlite3.Connection
) -> None:
    by_key = defaultdict(list)
    for values in selected(database, "relationship_observations", RelationshipObservationRow):
        row = RelationshipObservationRow(**values)
        by_key[row.relationship_key].append(row)

    reduced = [reduce_relationship(rows, now="") for rows in by_key.values()]

    expected = expected_rows(case, "relationship_snapshots", "relationship_key")
    assert in_columns_of(expected, reduced, "relationship_key") == expected


def selected(connection: sqlite3.Connection, table: str, row: type[Any]) -> list[dict[str, Any]]:
    columns = ", ".join(field.name for field in fields(row))  # rowid is one that SQLite knows
    return [dict(found) for found in connection.execute(f"SELECT {columns} FROM {table}")]


def expected_rows(case: Path, table: str, key: str) -> Rows:
    rows = pq.read_table(case / f"expected_{table}.parquet").to_pylist()
    return {row[key]: row for row in rows}


def in_columns_of(expected: Rows, reduced: list[Any], key: str) -> Rows:
    """Return the snapshots by key, with the columns that the expected ones have."""
    columns = next(iter(expected.values()))
    snapshots = (asdict(snapshot) for snapshot in reduced if snapshot is not None)
    return {row[key]: {column: row[column] for column in columns} for row in snapshots}
