from collections.abc import Mapping

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.coverage.held import (
    Held,
    add_up,
    count_held,
    exclusive_to,
    missing_from,
    rows_of,
)

COPIES = st.dictionaries(st.integers(0, 130), st.sets(st.integers(0, 6)), max_size=6)


def frames(copies: Mapping[int, set[int]]) -> dict[int, pl.DataFrame]:
    return {
        n: pl.DataFrame({"row": sorted(rows)}, {"row": pl.UInt32}) for n, rows in copies.items()
    }


@given(COPIES)
def test_rows_are_told_apart_by_who_holds_them_however_many_copies_there_are(
    copies: dict[int, set[int]],
) -> None:
    expected: dict[frozenset[int], int] = {}
    for row in set().union(*copies.values()):
        holders = frozenset(n for n, rows in copies.items() if row in rows)
        expected[holders] = expected.get(holders, 0) + 1
    assert {one.holders: one.rows for one in count_held(frames(copies))} == expected


def test_a_hundred_and_thirty_copies_take_more_than_one_word() -> None:
    copies = {number: {number, 1000} for number in range(130)}
    held = count_held(frames(copies))
    assert count_held(frames({})) == ()
    assert Held(frozenset(range(130)), 1) in held
    assert len(held) == 131


def test_counts_go_over_sets_of_copies() -> None:
    held = count_held(frames({0: {1, 2, 3}, 1: {3, 4}}))
    assert rows_of(held, [0]) == 3
    assert missing_from(held, [0]) == 1
    assert exclusive_to(held, [1]) == 1
    assert exclusive_to(held, [0, 1]) == 4
    assert set(add_up(held, held)) == {Held(one.holders, 2 * one.rows) for one in held}
