"""Composing a recovery: which of the copies found are used, in which order, and why not others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from neotoma_core.coverage.copies import Copy, by_preference, newest_first
from neotoma_core.coverage.cover import by_gain, smallest_cover
from neotoma_core.coverage.held import Held, missing_from
from neotoma_core.coverage.identity import Family, environment_by_content
from neotoma_core.environments import Environment


@dataclass(frozen=True, slots=True)
class Pick:
    """A copy that is used. ``adds``: observations that neither the target nor a copy before has.

    ``loses``: observations nobody would bring without it; ``further`` rows of other tables.
    """

    number: int
    adds: int
    loses: int
    further: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A copy that is not used, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Composition:
    """The copies to recover from, in order, and the others."""

    picks: tuple[Pick, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a composition is for.

    ``target``: the number of its copy, None where it does not exist. ``own``: the copies of the
    same database. ``environment``: the target's; ``mixed``: also take copies of the other one.
    """

    target: int | None
    own: Family
    environment: Environment | None
    mixed: bool = False


def compose(
    setting: Setting,
    copies: Mapping[int, Copy],
    observations: Sequence[Held],
    others: Sequence[Held],
) -> Composition:
    """Choose the smallest set of copies that together hold every row found.

    ``observations``: who holds which of them; ``others``: of the rest of the log. What sound
    copies hold is taken from sound copies; a salvaged one is taken only for what no other has.
    """
    barred = _barred(setting, copies)
    eligible = [
        copy for number, copy in copies.items() if number not in barred and number != setting.target
    ]
    have = frozenset([setting.target] if setting.target is not None else [])
    lacking = [one for one in (*observations, *others) if not one.holders & have]
    sound = _preferred(copy for copy in eligible if not copy.suspect)
    chosen = smallest_cover(lacking, sound)
    still = [one for one in lacking if not one.holders & frozenset(sound)]
    salvaged = smallest_cover(still, _preferred(copy for copy in eligible if copy.suspect))
    gains = by_gain(observations, have, [n for n in sound if n in chosen])
    gains += by_gain(
        observations,
        {*have, *chosen},
        [copy.number for copy in eligible if copy.number in salvaged],
    )
    picked = {number for number, _ in gains}
    picks = tuple(
        Pick(
            number,
            gain,
            *(
                missing_from(held, {*have, *picked} - {number})
                - missing_from(held, {*have, *picked})
                for held in (observations, others)
            ),
        )
        for number, gain in gains
    )
    spare = [c.number for c in eligible if c.number not in picked]
    reasons = barred | {number: _spare(copies[number]) for number in spare}
    return Composition(picks, tuple(LeftOut(n, reasons[n]) for n in sorted(reasons)))


def _preferred(copies: Iterable[Copy]) -> list[int]:
    ordered = newest_first(tuple(sorted(copies, key=by_preference)))
    return [copy.number for copy in ordered]


def _barred(setting: Setting, copies: Mapping[int, Copy]) -> dict[int, str]:
    """Return the copies that take no part whatever they hold, and why."""
    reasons = {}
    content = environment_by_content(setting.own, copies)
    expected = setting.environment or content
    for number, copy in copies.items():
        if number == setting.target:
            continue
        if copy.environment and expected and copy.environment != expected and not setting.mixed:
            reasons[number] = f"a {copy.environment} database; the target is {expected}"
        elif number not in setting.own:
            reasons[number] = "another database: it shares nothing with the target"
    return reasons | _twins([c for n, c in copies.items() if n not in reasons], setting.target)


def _twins(eligible: Iterable[Copy], target: int | None) -> dict[int, str]:
    """Return all but one of the copies with the same bytes; the target comes first of them."""
    reasons = {}
    kept: dict[int, Copy] = {}
    for copy in sorted(eligible, key=lambda copy: (copy.number != target, by_preference(copy))):
        content = copy.number if copy.same_as is None else copy.same_as
        if content in kept:
            reasons[copy.number] = f"the same bytes as {kept[content].path}"
        kept.setdefault(content, copy)
    return reasons


def _spare(copy: Copy) -> str:
    if copy.suspect:
        return "damaged; all that was salvaged of it and is proven is in the copies used"
    return "holds nothing that the copies used and the target lack"
