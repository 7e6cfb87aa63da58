"""Groups of ordered observations."""

import polars as pl
import pytest

from neotoma_core.neotoma.frames import ROWID
from neotoma_core.reduce.exact.rule_sets import Head
from neotoma_core.reduce.groups import (
    both,
    differs_within_group,
    groups_of,
    where,
    with_heads,
)

ORDERED = pl.DataFrame(
    {"group": [0, 0, 3, 4, 4, 4], "kind": ["a", "b", "c", "d", "d", None], "row": range(6)}
)


def test_a_group_has_a_size_and_what_its_latest_observation_says() -> None:
    assert groups_of(ORDERED, "kind").rows() == [(0, 2, "a"), (3, 1, "c"), (4, 3, "d")]


def test_no_observations_make_no_groups() -> None:
    assert groups_of(ORDERED.clear(), "kind").is_empty()


def test_differences_are_seen_within_a_group_only_and_null_is_one() -> None:
    assert sorted(where(ORDERED, differs_within_group("kind"))) == [0, 4]


def test_both_keeps_what_is_in_both() -> None:
    assert both(pl.Series([1, 2, 3]), pl.Series([3, 1, 9])).to_list() == [1, 3]


# (group, kind, id, observed_at, source_priority, row number), the latest of each group first
HEADS = [
    (0, "a", "1", "3", 5, 1),
    (0, "b", "2", "2", None, 3),
    (0, "c", "3", "2", None, 2),
    (0, "d", "4", None, None, 4),
    (3, "e", "5", "1", 1, 5),
    (4, "f", "7", "2", 3, 6),
    (4, "g", "6", "2", 2, 7),
]


@pytest.mark.parametrize(
    ("head", "kinds"),
    [
        pytest.param("index", ["d", "e", "g"], id="by priority, time and number, nulls first"),
        pytest.param("latest", ["a", "e", "g"], id="the latest first, then by id"),
    ],
)
def test_a_mixed_group_is_what_neotoma_reads_first_of_it(head: Head, kinds: list[str]) -> None:
    names = ("group", "kind", "id", "observed_at", "source_priority", ROWID)
    ordered = pl.DataFrame(HEADS, schema=names, orient="row")
    heads = with_heads(groups_of(ordered, "kind"), ordered, ["kind"], head)
    assert heads.rows() == [
        (group, rows, kind)
        for (group, rows), kind in zip([(0, 4), (3, 1), (4, 2)], kinds, strict=True)
    ]
    without_nulls = ordered.filter(pl.col("observed_at").is_not_null())
    heads = with_heads(groups_of(without_nulls, "kind"), without_nulls, ["kind"], head)
    assert heads["kind"].to_list() == [{"index": "c", "latest": "a"}[head], *kinds[1:]]
