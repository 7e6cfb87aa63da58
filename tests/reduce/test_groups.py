"""Groups of ordered observations."""

import polars as pl

from neotoma_core.reduce.groups import both, differs_within_group, groups_of, where

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
