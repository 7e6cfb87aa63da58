"""Which entities and relationships are left to the exact reducer."""

from typing import Any

import polars as pl
import pytest

from neotoma_core.neotoma.cells import ODD
from neotoma_core.reduce.routing import (
    entities_needing_exact,
    relationships_needing_exact,
    subjects_needing_exact_liveness,
)

BLANK: dict[str, Any] = {
    "group": 0,
    "subject": 0,
    "instant": 0,
    "source_priority": 1,
    "specificity_score": 1.0,
    "source_priority_cell": "1",
    "specificity_score_cell": "1.0",
    "entity_type": "note",
    "user_id": "u",
    "schema_version": "1",
    "relationship_type": "PART_OF",
    "source_entity_id": "e1",
    "target_entity_id": "e2",
}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    types = {"source_priority": pl.Float64, "instant": pl.Int64, "specificity_score": pl.Float64}
    return pl.DataFrame([BLANK | row for row in rows], schema_overrides=types).with_row_index("row")


def beyond(*rows: int) -> pl.DataFrame:
    return pl.DataFrame({"row": rows}, schema={"row": pl.UInt32})


@pytest.mark.parametrize(
    ("rows", "routed"),
    [
        ([{}, {}], []),
        ([{}, {"instant": None}], [0]),
        ([{"source_priority": None}, {"source_priority": 0}], [0]),
        ([{"source_priority": None}, {"source_priority": 0, "group": 1}], []),
        ([{"source_priority": None}, {"source_priority": 5}], []),
        ([{"specificity_score": float("inf")}], [0]),
        ([{"specificity_score_cell": f"{ODD}'high'"}], [0]),
        ([{"source_priority_cell": f"{ODD}' 1 '"}], [0]),
        ([{}, {"entity_type": "task"}], []),
        ([{"source_priority": 2.0**53}, {"entity_type": "task"}], [0]),
        ([{"source_priority": 2.0**53}, {}], []),
        ([{"source_priority": float("inf")}, {"entity_type": "task"}], []),
    ],
)
def test_an_entity_that_javascript_compares_oddly_is_routed(
    rows: list[dict[str, Any]], routed: list[int]
) -> None:
    assert entities_needing_exact(frame(*rows), beyond()).to_list() == routed


def test_what_duckdb_cannot_read_is_routed_with_its_whole_group() -> None:
    rows = frame({"group": 0}, {"group": 1}, {"group": 1})
    assert entities_needing_exact(rows, beyond(2)).to_list() == [1]
    assert relationships_needing_exact(rows, beyond(2)).to_list() == [1]


def test_priorities_are_nothing_to_relationships() -> None:
    rows = frame({"source_priority": None}, {"source_priority": 0})
    assert relationships_needing_exact(rows, beyond()).is_empty()


@pytest.mark.parametrize(
    ("row", "needing"),
    [
        ({"source_priority": 1.0}, []),
        ({"source_priority": 2.0**53}, [0]),
        ({"source_priority": float("inf")}, []),
        ({"source_priority_cell": f"{ODD}' 1 '"}, [0]),
    ],
)
def test_priorities_that_sqlite_orders_otherwise_than_doubles_are_named(
    row: dict[str, Any], needing: list[int]
) -> None:
    assert subjects_needing_exact_liveness(frame(row, {})).to_list() == needing
