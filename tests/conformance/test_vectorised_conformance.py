"""The vectorised reducer against what the real Neotoma computed, byte for byte."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from neotoma_core.comparison.selection import read_merged_away
from neotoma_core.merge.plan import registry_of
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.reduce.entities import reduce_entities
from neotoma_core.reduce.exact.rule_sets import R22, RuleSet
from neotoma_core.reduce.reduction import Reduction
from neotoma_core.reduce.relationships import reduce_relationships
from neotoma_core.sqlite.rows import read_rows
from tests.conformance.cases import CASES, Case

Rows = dict[str, dict[str, Any]]


@pytest.fixture(params=CASES, ids=str, scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    assert isinstance(request.param, Case)
    return request.param


@pytest.fixture(scope="module")
def database(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return case.unpack(tmp_path_factory.mktemp("case") / "input.db")


@pytest.fixture(scope="module")
def largest_backup(unpacked: Path) -> Path:
    return unpacked / "backups" / "neotoma.prod.db.db"


def test_every_entity_snapshot_of_a_case_is_neotomas(case: Case, database: Path) -> None:
    expected = pl.read_parquet(case.file("entity_snapshots"))
    reduction = entities_of(database, case.rules)
    assert by_key(reduction, expected) == rows_of(expected)
    failed = set(reduction.failed["entity_id"])
    assert set(reduction.unreduced["entity_id"]) == failed
    assert case.failing is None or failed == case.failing


def test_every_relationship_snapshot_of_a_case_is_neotomas(case: Case, database: Path) -> None:
    expected = pl.read_parquet(case.file("relationship_snapshots")).drop(
        "computed_at", strict=False
    )
    assert by_key(relationships_of(database), expected) == rows_of(expected)


def test_every_entity_snapshot_of_the_incident_is_as_stored(largest_backup: Path) -> None:
    stored = pl.DataFrame(select(largest_backup, "SELECT * FROM entity_snapshots"))
    reduction = entities_of(largest_backup)
    assert by_key(reduction, stored) == rows_of(stored)
    assert stored.height == 3850


def test_nothing_that_neotoma_wrote_needs_the_exact_reducer(largest_backup: Path) -> None:
    assert entities_of(largest_backup).exact == 0


def test_every_relationship_snapshot_of_the_incident_is_as_stored(largest_backup: Path) -> None:
    stored = pl.DataFrame(
        select(largest_backup, "SELECT * FROM relationship_snapshots"), infer_schema_length=None
    ).drop("computed_at")
    assert by_key(relationships_of(largest_backup), stored) == rows_of(stored)
    assert stored.height == 400


def entities_of(database: Path, rules: RuleSet = R22) -> Reduction:
    registry = registry_of(cells(database, "schema_registry"))
    away = read_merged_away(database, ("entities", "entity_merges"))
    observations = away.without(cells(database, "observations"), redirects=rules.redirects)
    return reduce_entities(observations, registry, rules)


def relationships_of(database: Path) -> Reduction:
    return reduce_relationships(cells(database, "relationship_observations"), now="")


def cells(database: Path, name: str) -> pl.DataFrame:
    table = BY_NAME[name]
    return read_rows(database, table, table.names)


def select(database: Path, query: str) -> list[dict[str, Any]]:
    uri = f"{database.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def by_key(reduction: Reduction, expected: pl.DataFrame) -> Rows:
    """Return the snapshots by key, with the columns that the expected ones have."""
    return rows_of(reduction.snapshots.select(expected.columns))


def rows_of(snapshots: pl.DataFrame) -> Rows:
    key = "entity_id" if "entity_id" in snapshots.columns else "relationship_key"
    return {row[key]: row for row in snapshots.to_dicts()}
