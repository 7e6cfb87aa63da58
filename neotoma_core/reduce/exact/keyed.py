"""merge_array_by_key: the union of items; the latest of each key stays.

Upstream: unreleased; see the format delta, A3.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from neotoma_core.neotoma.json import SAFE_INTEGER, JsonValue, stringify
from neotoma_core.neotoma.schemas import FieldRule
from neotoma_core.reduce.exact.failures import ReductionFails
from neotoma_core.reduce.exact.sort import sort_as_v8
from neotoma_core.reduce.exact.strategies import Picked, Stated, at_top_priority, recover_array

_MOST_ITEMS: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Item:
    value: JsonValue
    stated: Stated

    @property
    def instant(self) -> float:
        """When it was observed; an invalid time is before all others."""
        return -math.inf if self.stated.instant is None else self.stated.instant


def merge_array_by_key(
    rule: FieldRule, having: Sequence[Stated], _source_order: Sequence[str]
) -> Picked:
    """Pick the items at the highest source priority, the latest of each key.

    An item without a usable key stays, once. Raises ReductionFails where the policy names no key,
    and for too many items.
    """
    if not rule.key_field:
        raise ReductionFails(f"merge_array_by_key of the field {rule.name} names no key")
    keyed: dict[tuple[type, JsonValue], _Item] = {}
    unkeyed: dict[str, _Item] = {}
    contributors: list[str] = []
    for stated in at_top_priority(having):
        items = _items(rule, stated)
        if items:
            contributors.append(stated.id)
        for value in items:
            item, key = _Item(value, stated), _usable_key(value, rule.key_field)
            if key is None:
                unkeyed.setdefault(_structure(value), item)
            elif key not in keyed or _replaces(item, keyed[key]):
                keyed[key] = item
    ordered = sort_as_v8([*keyed.values(), *unkeyed.values()], _oldest_first)
    return Picked([item.value for item in ordered], ",".join(sorted(contributors, key=_by_unit)))


def _items(rule: FieldRule, stated: Stated) -> list[JsonValue]:
    value = recover_array(stated.fields[rule.name])
    if value is None:
        return []
    items: list[JsonValue] = value if isinstance(value, list) else [value]
    if len(items) > _MOST_ITEMS:
        raise ReductionFails(
            f"merge_array_by_key of the field {rule.name}: an observation has more than "
            f"{_MOST_ITEMS:,} items"
        )
    return items


def _usable_key(item: JsonValue, key_field: str) -> tuple[type, JsonValue] | None:
    """Return what identifies an item: a text, a boolean, or a number exact in JavaScript."""
    key = item.get(key_field) if isinstance(item, dict) else None
    if isinstance(key, bool | str):
        return type(key), key
    if isinstance(key, int | float) and abs(key) < SAFE_INTEGER:
        return float, float(key)
    return None


def _replaces(item: _Item, there: _Item) -> bool:
    """Tell whether an item of the same key takes the place of the one there, from another row."""
    if item.instant != there.instant:
        return item.instant > there.instant
    return item.stated.place < there.stated.place


def _oldest_first(a: _Item, b: _Item) -> float:
    if a.stated.instant is None and b.stated.instant is None:
        return 0  # infinity minus infinity: not a number, so no order
    if a.instant != b.instant:
        return a.instant - b.instant
    return (a.stated.place > b.stated.place) - (a.stated.place < b.stated.place)


def _structure(value: JsonValue) -> str:
    """Return a text that equal values have in common, whatever the order of their members."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: _by_unit(member[0]))
        return "{" + ",".join(f"{stringify(n)}:{_structure(v)}" for n, v in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_structure, value)) + "]"
    return stringify(value)


def _by_unit(text: str) -> bytes:
    """Return what texts are ordered by where JavaScript compares them unit by unit."""
    return text.encode("utf-16-be", "surrogatepass")
