from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.coverage import cover
from neotoma_core.coverage.cover import by_gain, smallest_cover
from neotoma_core.coverage.held import Held

HELD = st.lists(
    st.builds(Held, st.frozensets(st.integers(0, 6), min_size=1), st.integers(1, 9)), max_size=9
)
CANDIDATES = st.permutations(range(7))


def covers(held: list[Held], candidates: list[int], chosen: tuple[int, ...]) -> bool:
    wanted = [one for one in held if one.holders & set(candidates)]
    return all(one.holders & set(chosen) for one in wanted)


@given(HELD, CANDIDATES)
def test_a_cover_holds_everything_and_none_is_smaller(
    held: list[Held], candidates: list[int]
) -> None:
    chosen = smallest_cover(held, candidates)
    assert covers(held, candidates, chosen)
    smaller = [c for size in range(len(chosen)) for c in combinations(candidates, size)]
    assert not any(covers(held, candidates, other) for other in smaller)


@given(HELD, CANDIDATES)
def test_the_greedy_cover_holds_everything_and_can_spare_nothing(
    held: list[Held], candidates: list[int]
) -> None:
    chosen = tuple(cover._greedy(held, candidates))  # noqa: SLF001 - what many copies fall back to
    assert covers(held, candidates, chosen)
    assert not any(
        covers(held, candidates, tuple(n for n in chosen if n != spare)) for spare in chosen
    )


def test_among_equals_the_preferred_copy_is_taken() -> None:
    held = [Held(frozenset({0, 1, 2}), 5)]
    assert smallest_cover(held, [1, 0, 2]) == (1,)
    assert smallest_cover(held, [2, 1, 0]) == (2,)


def test_the_chosen_come_in_the_order_of_what_each_adds() -> None:
    held = [Held(frozenset({0}), 2), Held(frozenset({1}), 5), Held(frozenset({0, 1}), 9)]
    assert by_gain(held, [], [0, 1]) == ((1, 14), (0, 2))
    assert by_gain(held, [1], [0]) == ((0, 2),)
