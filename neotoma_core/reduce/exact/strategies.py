"""How the merge strategies pick the value of one field, and the orders they pick by.

Upstream: observation_reducer.ts of v0.22.0; what later releases changed is in the format delta, A;
merge_array_by_key is in ``exact_keyed``. Every strategy is given the observations that have
the field (null counts), in the order of ``by_time_and_id``.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from neotoma_core.neotoma.cells import javascript_number
from neotoma_core.neotoma.converters import convert, type_name
from neotoma_core.neotoma.json import JsonValue, NotJson, javascript_trim, parse_json
from neotoma_core.neotoma.schemas import FieldRule
from neotoma_core.reduce.exact.sort import Compare, sort_as_v8


@dataclass(frozen=True, slots=True)
class Stated:
    """One observation, read.

    Attributes:
        instant: When it was observed, milliseconds since 1970 UTC; None where unreadable.
        created: When it was stored, likewise.
        place: Where its id stands in the order of ids.
        specificity_score: 0 where it has none.
    """

    id: str
    instant: int | None
    place: str
    source_priority: float | str | None
    specificity_score: float
    observation_source: str | None
    fields: Mapping[str, JsonValue]
    created: int | None = None


@dataclass(frozen=True, slots=True)
class Picked:
    """The value of one field, and the ids of the observations it comes from, comma between."""

    value: JsonValue
    provenance: str


Criterion = Callable[[Stated, Stated], float | None]
"""One question of a comparison: below zero, the first comes first; None, ask the next question."""


def by_time_and_id(a: Stated, b: Stated) -> float:
    """Latest first, then ids ascending; with an unreadable date there is no order at all."""
    if a.instant is None or b.instant is None:
        return 0
    return b.instant - a.instant or _by_id(a, b)


def by_priority(source_order: Sequence[str]) -> Compare[Stated]:
    """Highest source priority first, then best source, then latest."""
    return _in_turn(_priority, _source_rank(source_order), _by_time)


def last_write(rule: FieldRule, having: Sequence[Stated], _source_order: Sequence[str]) -> Picked:
    """Pick the latest value, whatever its priority."""
    return _value_of(having[0], rule)


def highest_priority(
    rule: FieldRule, having: Sequence[Stated], source_order: Sequence[str]
) -> Picked:
    """Pick by source priority, then source, then time, or id where that is the tie-breaker."""
    last = _by_time if rule.tie_breaker == "observed_at" else _by_id
    order = _in_turn(_priority, _source_rank(source_order), last)
    return _value_of(sort_as_v8(having, order)[0], rule)


def highest_priority_recent(
    rule: FieldRule, having: Sequence[Stated], source_order: Sequence[str]
) -> Picked:
    """Pick by source priority, then source, then recency, whatever the tie-breaker."""
    order = _in_turn(_priority, _source_rank(source_order), _by_recency)
    return _value_of(sort_as_v8(having, order)[0], rule)


def most_specific(rule: FieldRule, having: Sequence[Stated], source_order: Sequence[str]) -> Picked:
    """Pick by specificity, then source, then time; priority counts only as the tie-breaker."""
    tie_breaker = (_priority,) if rule.tie_breaker == "source_priority" else ()
    order = _in_turn(_specificity, *tie_breaker, _source_rank(source_order), _by_time)
    return _value_of(sort_as_v8(having, order)[0], rule)


def merge_array(rule: FieldRule, having: Sequence[Stated], _source_order: Sequence[str]) -> Picked:
    """Pick the union of the values at the highest source priority, in the order met.

    A string that holds a JSON array counts as the array; other single values are converted and
    count as one item. An observation that says null adds nothing, but null items are kept.
    """
    items: list[JsonValue] = []
    contributors: list[str] = []
    for stated in at_top_priority(having):
        value = recover_array(stated.fields[rule.name])
        if value is not None:
            items += value if isinstance(value, list) else [convert(value, rule)]
            contributors.append(stated.id)
    return Picked(_without_repeats(items), ",".join(contributors))


Strategy = Callable[[FieldRule, Sequence[Stated], Sequence[str]], Picked]


def _value_of(stated: Stated, rule: FieldRule) -> Picked:
    return Picked(stated.fields[rule.name], stated.id)


def _in_turn(*criteria: Criterion) -> Compare[Stated]:
    """Return a comparison that asks one criterion after the other until one answers."""

    def compare(a: Stated, b: Stated) -> float:
        answers = (criterion(a, b) for criterion in criteria)
        return next((answer for answer in answers if answer is not None), 0)

    return compare


def _priority(a: Stated, b: Stated) -> float | None:
    """Highest first. NULL is 0 and yet differs from 0: they tie, and nothing else is asked."""
    if a.source_priority == b.source_priority:
        return None
    return javascript_number(b.source_priority) - javascript_number(a.source_priority)


def _specificity(a: Stated, b: Stated) -> float | None:
    return b.specificity_score - a.specificity_score or None


def _source_rank(source_order: Sequence[str]) -> Criterion:
    """Best source first; sources the order does not name, and none, are all last."""
    rank = {source: at for at, source in enumerate(source_order)}

    def compare(a: Stated, b: Stated) -> float | None:
        last = len(source_order)
        of_a = rank.get(a.observation_source or "", last)
        of_b = rank.get(b.observation_source or "", last)
        return of_a - of_b or None

    return compare


def _by_time(a: Stated, b: Stated) -> float:
    return 0 if a.instant is None or b.instant is None else b.instant - a.instant


def _by_recency(a: Stated, b: Stated) -> float:
    """Latest observed first, then latest stored, then ids; an invalid time is last."""
    for of_a, of_b in ((a.instant, b.instant), (a.created, b.created)):
        if of_a != of_b:
            return (-math.inf if of_b is None else of_b) - (-math.inf if of_a is None else of_a)
    return _by_id(a, b)


def _by_id(a: Stated, b: Stated) -> float:
    return (a.place > b.place) - (a.place < b.place)


def at_top_priority(having: Sequence[Stated]) -> list[Stated]:
    """Keep the observations of the highest priority.

    As the maximum is sought NULL counts as 0, but what is kept must equal it: of NULL and 0, the
    one met first shuts out the other.
    """
    top: float | str | None = -math.inf
    for stated in having:
        if javascript_number(stated.source_priority) > javascript_number(top):
            top = stated.source_priority
    return [stated for stated in having if stated.source_priority == top]


def recover_array(value: JsonValue) -> JsonValue:
    """Return the array a string holds, if it holds one."""
    if not isinstance(value, str):
        return value
    trimmed = javascript_trim(value)
    if not (trimmed.startswith("[") and trimmed.endswith("]")):
        return value
    try:
        parsed = parse_json(trimmed)
    except NotJson:
        return value
    return parsed if isinstance(parsed, list) else value


def _without_repeats(items: Iterable[JsonValue]) -> list[JsonValue]:
    """Return the items as a JavaScript Set holds them: scalars once, arrays and objects all."""
    seen: set[tuple[str, object]] = set()
    kept: list[JsonValue] = []
    for item in items:
        if not isinstance(item, list | dict):
            identity = (type_name(item), item)
            if identity in seen:
                continue
            seen.add(identity)
        kept.append(item)
    return kept
