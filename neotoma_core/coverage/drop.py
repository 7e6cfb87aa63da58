"""Whether a database looks as if it had lost what its copies still hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from neotoma_core.coverage.copies import Copy
from neotoma_core.coverage.held import Held, missing_from

Verdict = Literal["wiped", "lacking", "whole", "alone"]
_SUDDEN: Final = 0.5
"""Fewer observations than this share of what one copy has: that is a loss, not a cleanup."""


@dataclass(frozen=True, slots=True)
class Drop:
    """What a database has, compared with its best copy.

    ``lacks``: observations that copies hold and it does not. ``best``: the number of the copy with
    the most; None where there is no other.
    """

    verdict: Verdict
    observations: int
    lacks: int
    best: int | None


def find_drop(
    target: Copy, own: Iterable[int], copies: Mapping[int, Copy], observations: Iterable[Held]
) -> Drop:
    """Compare a database with its other copies (``own``). An empty target is one with 0 rows."""
    others = [copies[number] for number in own if number != target.number]
    if not others:
        return Drop("alone", target.observations, 0, None)
    best = max(
        others,
        key=lambda copy: (copy.observations, not copy.suspect, copy.same_as is None, -copy.number),
    )
    numbers = {copy.number for copy in others}
    relevant = [one for one in observations if one.holders & numbers]
    lacks = missing_from(relevant, [target.number])
    if target.observations < _SUDDEN * best.observations:
        return Drop("wiped", target.observations, lacks, best.number)
    return Drop("lacking" if lacks else "whole", target.observations, lacks, best.number)
