"""The exact reducer on frames."""

from collections.abc import Sequence

import polars as pl

from neotoma_core.neotoma.schemas import Registry
from neotoma_core.reduce.exact.rule_sets import R22
from neotoma_core.reduce.rowwise import (
    dead_exactly,
    reduce_entities_exactly,
    reduce_relationships_exactly,
)
from tests.support.strategies import HALVED, OBSERVATION, RELATIONSHIP_OBSERVATION

NOON = "2026-02-02T12:00:00.000Z"
CELLS = ("source_priority", "specificity_score")


def group(rows: Sequence[tuple[object, ...]], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """Return observations as the reducer has them: every row a group and a subject of its own."""
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    cells = [pl.col(name).alias(f"{name}_cell") for name in CELLS if name in schema]
    number = pl.int_range(pl.len(), dtype=pl.UInt32)
    return frame.with_columns(*cells, group=number, subject=number)


def test_entities_are_reduced_one_by_one_and_deleted_ones_have_no_snapshot() -> None:
    observations = group(
        [
            ("a", "e", "note", "1", NOON, None, "0", None, '{"x":1.0}', None, NOON, 1),
            ("b", "gone", "note", "1", NOON, None, "0", None, '{"_deleted":true}', None, NOON, 2),
        ],
        OBSERVATION,
    )
    got = reduce_entities_exactly(observations, Registry(), R22).snapshots
    assert got.select("group", "entity_id", "snapshot").rows() == [(0, "e", '{"x":1}')]


def test_relationships_are_reduced_one_by_one_and_failing_ones_have_no_snapshot() -> None:
    observations = group(
        [
            ("a", "r", "T", "e1", "e2", NOON, None, '{"x":1}', None, NOON, 1),
            ("b", "fails", "T", "e1", "e2", NOON, None, '{"x":null}', None, NOON, 2),
        ],
        RELATIONSHIP_OBSERVATION,
    )
    got = reduce_relationships_exactly(observations, now=NOON)
    assert got.select("group", "relationship_key", "is_live").rows() == [(0, "r", 1)]


def test_the_highest_priority_as_sqlite_orders_them_says_what_is_dead() -> None:
    gone = '{"_deleted":true}'
    rows = [
        ("a", "r", "T", "e1", "e2", NOON, "9007199254740992", "{}", None, NOON, 1),
        ("b", "r", "T", "e1", "e2", NOON, "9007199254740993", gone, None, NOON, 2),
    ]
    observations = group(rows, RELATIONSHIP_OBSERVATION).with_columns(
        subject=pl.lit(7, dtype=pl.UInt32)
    )
    assert dead_exactly(observations).to_list() == [7]


def test_nothing_to_reduce_gives_empty_frames_with_their_columns() -> None:
    got = reduce_entities_exactly(group([], OBSERVATION), Registry(), R22).snapshots
    assert got.is_empty()
    assert "snapshot" in got.columns


def test_a_name_that_ends_in_half_a_surrogate_pair_is_stored_as_bytes() -> None:
    named = ("a", "e", "note", "1", NOON, None, "0", None, '{"name":"a\\ud83d"}', None, NOON, 1)
    got = reduce_entities_exactly(group([named], OBSERVATION), Registry(), R22).snapshots
    assert got["canonical_name"].item() == HALVED
    assert got["snapshot"].item() == '{"name":"a\\ud83d"}'
