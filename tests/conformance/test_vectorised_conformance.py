"""The vectorised reducer against what the real Neotoma 0.22.0 computed, byte for byte."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from neotoma_core.merge.plan import registry_of
from neotoma_core.reduce.entities import reduce_entities
from neotoma_core.reduce.reduction import Reduction
from neotoma_core.reduce.relationships import reduce_relationships
from neotoma_core.reduce.rule_sets import rules_of
from neotoma_core.store.rows import read_rows
from neotoma_core.tables import BY_NAME

FIXTURES = Path(__file__).parents[2] / "data" / "fixtures"
Rows = dict[str, dict[str, Any]]


@pytest.fixture(params=["conformance_a", "conformance_b"], scope="module")
def case(request: pytest.FixtureRequest) -> Path:
    return FIXTURES / str(request.param)


@pytest.fixture(scope="module")
def database(case: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    unpacked = tmp_path_factory.mktemp(case.name) / "input.db"
    with (case / "input.db.zst").open("rb") as packed, unpacked.open("wb") as plain:
        zstandard.ZstdDecompressor().copy_stream(packed, plain)
    return unpacked


@pytest.fixture(scope="module")
def largest_backup(unpacked: Path) -> Path:
    return unpacked / "backups" / "neotoma.prod.db.db"


def test_every_entity_snapshot_of_a_case_is_neotomas(case: Path, database: Path) -> None:
    expected = pl.read_parquet(case / "expected_entity_snapshots.parquet")
    reduction = entities_of(database)
    assert compared(reduction, expected) == rows_of(expected)
    assert reduction.unreduced.is_empty()


def test_every_relationship_snapshot_of_a_case_is_neotomas(case: Path, database: Path) -> None:
    expected = pl.read_parquet(case / "expected_relationship_snapshots.parquet")
    assert compared(relationships_of(database), expected) == rows_of(expected)


def test_every_entity_snapshot_of_the_incident_is_as_stored(largest_backup: Path) -> None:
    stored = pl.DataFrame(selected(largest_backup, "SELECT * FROM entity_snapshots"))
    reduction = entities_of(largest_backup)
    assert compared(reduction, stored) == rows_of(stored)
    assert stored.height == 3850


def test_nothing_that_neotoma_wrote_needs_the_exact_reducer(largest_backup: Path) -> None:
    assert entities_of(largest_backup).exact == 0


def test_every_relationship_snapshot_of_the_incident_is_as_stored(largest_backup: Path) -> None:
    stored = pl.DataFrame(
        selected(largest_backup, "SELECT * FROM relationship_snapshots"), infer_schema_length=None
    ).drop("computed_at")
    assert compared(relationships_of(largest_backup), stored) == rows_of(stored)
    assert stored.height == 400


def entities_of(database: Path) -> Reduction:
    registry = registry_of(cells(database, "schema_registry"))
    return reduce_entities(cells(database, "observations"), registry, rules_of(registry)[0])


def relationships_of(database: Path) -> Reduction:
    return reduce_relationships(cells(database, "relationship_observations"), now="")


def cells(database: Path, name: str) -> pl.DataFrame:
    table = BY_NAME[name]
    return read_rows(database, table, table.names)


def selected(database: Path, query: str) -> list[dict[str, Any]]:
    uri = f"{database.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def compared(reduction: Reduction, expected: pl.DataFrame) -> Rows:
    """Return the snapshots by key, with the columns that the expected ones have."""
    return rows_of(reduction.snapshots.select(expected.columns))


def rows_of(snapshots: pl.DataFrame) -> Rows:
    key = "entity_id" if "entity_id" in snapshots.columns else "relationship_key"
    return {row[key]: row for row in snapshots.to_dicts()}
