"""Composing a recovery: which of the copies found are used, in which order, and why not others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from neotoma_core.coverage.copies import Copy, by_preference, newest_first
from neotoma_core.coverage.cover import by_gain, smallest_cover
from neotoma_core.coverage.held import Held, missing_from
from neotoma_core.coverage.identity import Family, environment_by_content
from neotoma_core.neotoma.environments import Environment


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
    foreign = _foreign(setting, copies)
    usable = [copy for number, copy in copies.items() if number not in foreign]
    twins = _twins(usable, setting.target)
    have = frozenset([setting.target] if setting.target is not None else [])
    own = [copy for copy in usable if copy.number not in have]
    eligible = [copy for copy in own if copy.number not in twins]
    gains = _gains(eligible, have, observations, others)
    together = {*have, *(number for number, _ in gains)}
    picks = [
        Pick(
            number,
            gain,
            *(_count_lost_without(h, together, number) for h in (observations, others)),
        )
        for number, gain in gains
    ]
    picks = picks or _richest(own)
    used = {pick.number for pick in picks}
    reasons = {copy.number: _spare(copy) for copy in eligible} | twins | foreign
    left_out = (LeftOut(number, reasons[number]) for number in sorted(reasons.keys() - used))
    return Composition(tuple(picks), tuple(left_out))


def _gains(
    eligible: Sequence[Copy],
    have: frozenset[int],
    observations: Sequence[Held],
    others: Sequence[Held],
) -> tuple[tuple[int, int], ...]:
    """Return the copies to use, in order, with the observations each adds; salvaged ones last."""
    gains: tuple[tuple[int, int], ...] = ()
    lacking = [one for one in (*observations, *others) if not one.holders & have]
    for suspect in (False, True):
        candidates = _order_by_preference(copy for copy in eligible if copy.suspect is suspect)
        chosen = smallest_cover(lacking, candidates)
        present = {*have, *(number for number, _ in gains)}
        gains += by_gain(observations, present, [n for n in candidates if n in chosen])
        lacking = [one for one in lacking if not one.holders & frozenset(candidates)]
    return gains


def _count_lost_without(held: Sequence[Held], together: set[int], number: int) -> int:
    return missing_from(held, together - {number}) - missing_from(held, together)


def _richest(own: Sequence[Copy]) -> list[Pick]:
    """Return the richest sound copy, to show that the target lacks nothing; none without any."""
    sound = [copy for copy in own if not copy.suspect]
    best = max(sound, key=lambda copy: (copy.observations, -copy.number), default=None)
    return [] if best is None else [Pick(best.number, 0, 0, 0)]


def _order_by_preference(copies: Iterable[Copy]) -> list[int]:
    ordered = newest_first(tuple(sorted(copies, key=by_preference)))
    return [copy.number for copy in ordered]


def _foreign(setting: Setting, copies: Mapping[int, Copy]) -> dict[int, str]:
    """Return the copies of other databases and of the other environment."""
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
    return reasons


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
