"""What is reached among the rows that matter is what is reached among all."""

from collections.abc import Mapping

import polars as pl
import pytest
from hypothesis import given, settings

from neotoma_core.erased import narrowing
from neotoma_core.erased.naming import Ids, NamedRows, TablesInMemory, name_rows
from neotoma_core.erased.narrowing import reach_in
from neotoma_core.erased.reach import Reach, reach
from neotoma_core.neotoma.frames import ROWID
from tests.support.reaching import TablesInParts, databases, seeds, told_by

MANY = 5_000


@settings(max_examples=60, deadline=None)
@given(databases(), seeds())
def test_what_is_reached_is_what_is_reached_among_all_rows(
    tables: dict[str, NamedRows], ids: dict[str, frozenset[str]]
) -> None:
    expected = told_by(reach(tables, ids))
    assert told_by(reach_in(TablesInMemory(tables), ids)) == expected
    assert told_by(reach_in(TablesInParts(tables), ids)) == expected


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were in memory at a time."""
    counts: list[int] = []

    def count(tables: Mapping[str, NamedRows], ids: Ids) -> Reach:
        counts.append(sum(named.rows.height for named in tables.values()))
        return reach(tables, ids)

    monkeypatch.setattr(narrowing, "reach", count)
    return counts


def name_all(**tables: Mapping[str, pl.Expr]) -> dict[str, NamedRows]:
    """Return tables given by their columns; a cell stands for as many rows as there are."""
    frames = {
        name: pl.select(*(cell.alias(n) for n, cell in cells.items()))
        for name, cells in tables.items()
    }
    return {name: name_rows(name, rows.with_row_index(ROWID)) for name, rows in frames.items()}


def number_from(stem: str, first: int) -> pl.Expr:
    return pl.format("{}{}", pl.lit(stem), pl.int_range(first, first + MANY))


def test_rows_of_others_that_share_a_source_are_not_all_read(read: list[int]) -> None:
    tables = name_all(
        sources={"id": pl.lit("s")},
        entities={"id": number_from("e", 0)},
        observations={
            "id": number_from("o", 0),
            "entity_id": number_from("e", 0),
            "source_id": pl.lit("s"),
            "user_id": pl.lit("u"),
        },
        raw_fragments={"id": number_from("f", 0), "source_id": pl.lit("s")}
        | {"entity_id": number_from("e", 0), "interpretation_id": pl.lit("i")},
        interpretations={"id": pl.lit("i"), "source_id": pl.lit("s")},
    )
    found = reach_in(TablesInMemory(tables), {"entities": frozenset({"e7"})})
    gone = {"entities": [7], "observations": [7], "raw_fragments": [7]}
    assert {name: list(rows) for name, rows in found.rows.items()} == gone
    assert found.shared == {"s"}
    found = reach_in(TablesInMemory(tables), {"observations": frozenset({"o7"})})
    gone = {"observations": [7], "raw_fragments": [7]}
    assert {name: list(rows) for name, rows in found.rows.items()} == gone
    assert max(read) < 10


def test_rows_of_an_entity_that_only_loses_something_are_not_all_read(read: list[int]) -> None:
    tables = name_all(
        entities={"id": pl.lit("e")},
        observations={"id": number_from("o", 0), "entity_id": pl.lit("e")}
        | {"source_id": number_from("s", 0)},
        relationship_observations={"id": number_from("r", 0), "relationship_key": pl.lit("k")}
        | {"source_entity_id": pl.lit("e"), "target_entity_id": pl.lit("e")},
    )
    seeds = {"observations": frozenset({"o3"}), "relationship_observations": frozenset({"r3"})}
    found = reach_in(TablesInMemory(tables), seeds)
    assert found.entities["entity_id"].to_list() == ["e"]
    assert found.relationships["relationship_key"].to_list() == ["k"]
    assert max(read) < 10


def test_what_a_source_that_nobody_observes_tells_of_others_is_not_all_read(
    read: list[int],
) -> None:
    tables = name_all(
        observations={"id": pl.lit("o"), "entity_id": pl.lit("e7"), "source_id": pl.lit("s")},
        raw_fragments={"id": number_from("f", 0), "source_id": pl.lit("s")}
        | {"entity_id": number_from("e", 0)},
    )
    found = reach_in(TablesInMemory(tables), {"observations": frozenset({"o"})})
    gone = {"observations": [0], "raw_fragments": [7]}
    assert {name: list(rows) for name, rows in found.rows.items()} == gone
    assert max(read) < 10


def test_rows_that_stand_for_others_are_not_taken_for_one(read: list[int]) -> None:
    is_first = pl.int_range(MANY) == 0
    tables = name_all(
        observations={"id": pl.lit("o"), "entity_id": pl.lit("e7"), "source_id": pl.lit("small")}
        | {"sighting_source_id": pl.lit("s")},
        raw_fragments={
            "id": number_from("f", 0),
            "source_id": pl.when(is_first).then(pl.lit("small")).otherwise(pl.lit("s")),
            "entity_id": pl.when(~is_first).then(number_from("e", 0)),
        },
    )
    found = reach_in(TablesInMemory(tables), {"observations": frozenset({"o"})})
    gone = {"observations": [0], "raw_fragments": [0]}
    assert {name: list(rows) for name, rows in found.rows.items()} == gone
    assert max(read) < 10
