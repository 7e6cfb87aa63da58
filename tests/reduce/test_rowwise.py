"""The exact reducer on frames."""

import polars as pl

from neotoma_core.policies import Registry
from neotoma_core.reduce.rowwise import (
    reduce_entities_exactly,
    reduce_relationships_exactly,
    storable,
)
from tests.strategies import OBSERVATION, RELATIONSHIP_OBSERVATION

NOON = "2026-02-02T12:00:00.000Z"


def test_entities_are_reduced_one_by_one_and_deleted_ones_told() -> None:
    observations = pl.DataFrame(
        [
            ("a", "e", "note", "1", NOON, None, 0, None, '{"x":1.0}', None),
            ("b", "gone", "note", "1", NOON, None, 0, None, '{"_deleted":true}', None),
        ],
        schema=OBSERVATION,
        orient="row",
    )
    got = reduce_entities_exactly(observations, Registry())
    assert got.snapshots.select("entity_id", "snapshot").rows() == [("e", '{"x":1}')]
    assert got.without["entity_id"].to_list() == ["gone"]


def test_relationships_are_reduced_one_by_one_and_failing_ones_told() -> None:
    observations = pl.DataFrame(
        [
            ("a", "r", "T", "e1", "e2", NOON, None, '{"x":1}', None),
            ("b", "fails", "T", "e1", "e2", NOON, None, '{"x":null}', None),
        ],
        schema=RELATIONSHIP_OBSERVATION,
        orient="row",
    )
    got = reduce_relationships_exactly(observations, now=NOON)
    assert got.snapshots.select("relationship_key", "is_live").rows() == [("r", 1)]
    assert got.without["relationship_key"].to_list() == ["fails"]


def test_nothing_to_reduce_gives_empty_frames_with_their_columns() -> None:
    got = reduce_entities_exactly(pl.DataFrame(schema=OBSERVATION), Registry())
    assert got.snapshots.is_empty()
    assert "snapshot" in got.snapshots.columns


def test_half_a_surrogate_pair_is_stored_as_the_replacement_character() -> None:
    assert storable("a\ud800b") == "a\ufffdb"
    assert storable(7) == 7
