"""The sort against what ``[...].sort(compare)`` gave in Node 20.20.2."""

from functools import cmp_to_key
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.reduce.exact.sort import sort_as_v8

Item = tuple[int | None, int]  # (time, None where unreadable; number)

# The numbers, in the order in which Node leaves items whose times are 37 * i % 101, descending,
# every seventh from the third on unreadable; numbers ascending among equal times.
UNREADABLE_AMONG_SCATTERED = {
    8: "5 2 7 4 1 0 3 6",
    40: """
        30 19 8 27 16 5 35 13 2 32 21 29 18 7 37 26 15 4 34 23 12 1 0 3 20 9 6 10 39 28 36 25 14
        33 22 11 17 24 31 38
    """,
    100: """
        30 19 49 8 27 16 46 5 35 13 43 2 32 21 40 29 18 48 7 37 26 15 4 34 23 12 1 0 3 42 20 9 6
        10 39 28 47 36 25 14 33 22 11 17 24 31 38 44 41 45 60 90 79 68 98 57 76 65 95 54 84 62
        92 51 81 70 89 78 67 97 56 86 75 64 53 50 52 72 61 69 58 77 55 59 96 63 66 83 85 82 71
        73 74 80 87 91 99 88 93 94
    """,
}

# (stretches as count, first time, step down; which are unreadable, None for none; first digits of
# the SHA-256 of the numbers in the order of Node, blanks between)
STRETCHES: list[tuple[list[tuple[int, int, int]], int | None, str]] = [
    ([(40, 600, 3), (33, 500, 3)], 9, "b5ea6b59d16ec193"),
    ([(64, 100, 3), (64, 400, 3), (64, 200, 3), (90, 1100, 1)], None, "58fe2db252c188cf"),
    ([(40, 800, 3), (90, 1100, 10), (64, 700, 3)], 31, "a8fb79fa0732425d"),
    ([(33, 1000, 10), (64, 1100, 1), (33, 700, 1), (33, 500, 1)], 31, "089934ae5e7212d3"),
    ([(33, 400, 1), (90, 600, 1), (33, 600, 10)], 9, "8c9d5ca6e058cffe"),
    ([(33, 500, 1), (64, 1000, 10)], None, "8751dafcafad7549"),
    (
        [(64, 1100, 3), (33, 700, 1), (33, 200, 1), (64, 700, 1), (90, 800, 1), (40, 0, 10)],
        9,
        "24fc07f720d6952a",
    ),
    (
        [(64, 200, 3), (64, 1100, 10), (33, 400, 10), (64, 400, 1), (33, 1000, 1), (64, 700, 1)],
        None,
        "4d75893e97bafc6f",
    ),
    ([(33, 1200, 3), (64, 1200, 10)], 9, "9404c3b102c43ee9"),
]

# As above, the stretches as words: each tells a number or a border within the sort from the next.
BORDERS = [
    (
        "32,100,10 32,50,10 32,950,3 90,1250,20 65,50,20 65,600,1 64,450,20 130,1100,10 2,301,1",
        63,
        "0973fe436c9be3bc",
    ),
    (
        "90,150,20 65,1250,1 130,150,2 33,300,20 64,1150,2 64,1100,1 130,50,1 90,100,20 1,805,1",
        63,
        "54c79bf135cc6836",
    ),
    ("33,350,2 32,1000,1 90,650,20 33,50,1 3,7,1", None, "a9714b3ed0ec470d"),
    ("64,500,3 40,950,10 90,800,1", 31, "f603e131b0e8da2b"),
    ("32,850,20 130,950,3 90,1050,3 1,490,1", 63, "3ff2ddf7c5a5fb9e"),
    ("33,800,1 64,200,2 40,200,1 97,950,10 40,800,1", None, "c7198001450e3555"),
    ("65,1250,10 32,800,20 64,950,20 65,1050,2 65,1050,1 2,875,1", None, "bc89c73ec9c96863"),
    ("130,350,3 33,1200,2 90,350,1 33,950,20 97,750,2", 31, "59719cb90d5bf518"),
    (
        "32,950,3 128,200,20 128,550,10 40,150,10 32,350,2 128,0,10 1,168,1",
        None,
        "d7d9883800a6e478",
    ),
    (
        "32,1000,3 128,200,3 130,550,20 90,1200,1 40,950,1 32,150,20 128,950,1 97,700,3",
        63,
        "f68d99dd0404ac2f",
    ),
    (
        "97,1250,10 130,1000,10 130,1000,10 97,200,10 64,350,1 128,950,20 90,650,20 65,300,2",
        9,
        "b9413423abdf0621",
    ),
]


def in_words(words: str) -> list[tuple[int, int, int]]:
    numbers = [tuple(map(int, word.split(","))) for word in words.split()]
    return [(count, first, step) for count, first, step in numbers]


def latest_first(a: Item, b: Item) -> float:
    if a[0] is None or b[0] is None:
        return 0
    return b[0] - a[0] or a[1] - b[1]


def scatter(number: int) -> int | None:
    return None if number % 7 == 3 else number * 37 % 101


@pytest.mark.parametrize("count", UNREADABLE_AMONG_SCATTERED)
def test_scattered_times_with_unreadable_ones_end_up_as_in_node(count: int) -> None:
    items = [(scatter(number), number) for number in range(count)]
    numbers = " ".join(str(number) for _, number in sort_as_v8(items, latest_first))
    assert numbers.split() == UNREADABLE_AMONG_SCATTERED[count].split()


@pytest.mark.parametrize(
    ("stretches", "every", "digest"),
    [*STRETCHES, *((in_words(words), every, digest) for words, every, digest in BORDERS)],
)
def test_long_stretches_that_are_merged_at_a_gallop_end_up_as_in_node(
    stretches: list[tuple[int, int, int]], every: int | None, digest: str
) -> None:
    times = [first - step * at for count, first, step in stretches for at in range(count)]
    items: list[Item] = [
        (None if every and number % every == every - 1 else time, number)
        for number, time in enumerate(times)
    ]
    numbers = " ".join(str(number) for _, number in sort_as_v8(items, latest_first))
    assert sha256(numbers.encode()).hexdigest().startswith(digest)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers()), max_size=300))
def test_a_consistent_comparison_gives_the_stable_order(items: list[tuple[int, int]]) -> None:
    def by_first(a: tuple[int, int], b: tuple[int, int]) -> int:
        return a[0] - b[0]

    assert sort_as_v8(items, by_first) == sorted(items, key=cmp_to_key(by_first))


@given(st.lists(st.tuples(st.none() | st.integers(0, 9), st.integers()), max_size=300))
def test_nothing_is_lost_or_made_up(items: list[Item]) -> None:
    assert sorted(map(repr, sort_as_v8(items, latest_first))) == sorted(map(repr, items))


def test_what_is_sorted_stays_as_it_was() -> None:
    items = [(1, 0), (2, 1)]
    assert sort_as_v8(items, latest_first) == [(2, 1), (1, 0)]
    assert items == [(1, 0), (2, 1)]
