"""The smallest set of copies that together hold every row."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from math import comb
from typing import Final

from neotoma_core.coverage.held import Held, rows_of

_TRIED: Final = 20_000  # combinations; beyond, the greedy choice is taken, less what it can spare


def smallest_cover(held: Iterable[Held], candidates: Sequence[int]) -> tuple[int, ...]:
    """Return the fewest candidates that hold every row any candidate holds, in no special order.

    ``candidates``: in order of preference; among covers of one size that of the preferred ones is
    taken. Where there are too many combinations to try, the cover is the greedy one, in which
    nothing is superfluous.
    """
    usable = frozenset(candidates)
    among = [Held(one.holders & usable, one.rows) for one in held if one.holders & usable]
    needed = {min(one.holders) for one in among if len(one.holders) == 1}
    open_held = [one for one in among if not one.holders & needed]
    further = [number for number in candidates if any(number in one.holders for one in open_held)]
    greedy = _greedy(open_held, further)
    for size in range(len(greedy)):
        if comb(len(further), size) > _TRIED:
            break
        for chosen in combinations(further, size):
            if all(one.holders.intersection(chosen) for one in open_held):
                return (*sorted(needed), *chosen)
    return (*sorted(needed), *greedy)


def by_gain(
    held: Sequence[Held], have: Iterable[int], chosen: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Return the chosen in the order in which each adds most, with the rows it adds.

    ``have``: copies whose rows are there already. ``chosen``: in order of preference, which decides
    ties.
    """
    present = set(have)
    left = list(chosen)
    ordered = []
    while left:
        before = rows_of(held, present)
        gains = {number: rows_of(held, {*present, number}) - before for number in left}
        best = max(left, key=lambda number: (gains[number], -left.index(number)))
        ordered.append((best, gains[best]))
        left.remove(best)
        present.add(best)
    return tuple(ordered)


def _greedy(open_held: Sequence[Held], further: Sequence[int]) -> list[int]:
    """Take what adds most until nothing is left, then drop what turned out to be superfluous."""
    left = list(open_held)
    chosen: list[int] = []
    while left:
        best = max(
            further,
            key=lambda number: (
                sum(one.rows for one in left if number in one.holders),
                -further.index(number),
            ),
        )
        chosen.append(best)
        left = [one for one in left if best not in one.holders]
    for number in reversed(list(chosen)):
        without = [other for other in chosen if other != number]
        if all(one.holders.intersection(without) for one in open_held):
            chosen = without
    return chosen
