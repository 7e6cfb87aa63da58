"""How many items of a payload are stored: items against the observations that may state them.

An item is stored if an observation agrees with it on every key they share where both values are of
one type: a store drops fields that the schema lacks and converts others. Two items may be one
observation, so observations are never counted.
"""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import orjson

from neotoma_core.neotoma.json import JsonValue, stringify

METHODS: Final = ("api_store", "mcp_store")
"""What the provenance of a payload has as its ``upload_method``; files and references have others.
"""

Item = Mapping[str, JsonValue]
Shape = frozenset[tuple[str, type]]

_NO_FIELDS: Final = "{}"
_TYPE_KEYS: Final = ("entity_type", "type")  # of an item; in no observation's fields
_MOST_COMPARISONS: Final = 1_000_000  # of a shape of items with a shape of observations


@dataclass(frozen=True, slots=True)
class Extent:
    """How many of a payload's ``items`` are ``stored``."""

    stored: int
    items: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing; of an empty payload nothing can be."""
        return self.stored == self.items


def items_of(content: JsonValue) -> list[Item] | None:
    """Return the items of a payload: its array, or the one object it is; None for anything else."""
    items = content if isinstance(content, list) else [content]
    objects = [item for item in items if isinstance(item, dict)]
    return list(objects) if len(objects) == len(items) else None


def proves_payload(digest: str, stated: Sequence[tuple[str, str]]) -> bool:
    """Return whether observations prove their payload whole, so that it need not be read.

    ``stated``: entity type and fields of each, in order, the fields as JSON. They do where the
    payload they would have come from has the SHA-256 of the payload. Upstream writes it compact
    over HTTP and indented over MCP.
    """
    if not stated:
        return False
    compact = f"[{','.join(_item_text(kind, fields) for kind, fields in stated)}]".encode(
        "utf-8", "replace"
    )
    if hashlib.sha256(compact).hexdigest() == digest:
        return True
    try:
        indented = orjson.dumps(orjson.loads(compact), option=orjson.OPT_INDENT_2)
    except orjson.JSONDecodeError:  # no fields, or some that JavaScript alone reads
        return False
    return hashlib.sha256(indented).hexdigest() == digest


def count_stored(items: Sequence[Item], stated: Sequence[Item]) -> int | None:
    """Return how many items some observation states; ``stated``: the fields of observations.

    None where there are too many shapes of either to compare them all.
    """
    observed = _by_shape(stated)
    sent = _by_shape([_fields_of(item) for item in items])
    if len(observed) * len(sent) > _MOST_COMPARISONS:
        return None
    told: dict[tuple[Shape, tuple[str, ...]], set[tuple[Hashable, ...]]] = {}
    stored = 0
    for shape, group in sent.items():
        missing = group
        for other, observations in observed.items():
            keys = _comparable(shape, other)
            if keys is None:
                continue
            if (other, keys) not in told:
                told[other, keys] = {_values(fields, keys) for fields in observations}
            known = told[other, keys]
            missing = [fields for fields in missing if _values(fields, keys) not in known]
        stored += len(group) - len(missing)
    return stored


def _item_text(kind: str, fields: str) -> str:
    return f"{_item_start(kind)}{',' if len(fields) > len(_NO_FIELDS) else ''}{fields[1:]}"


@lru_cache(maxsize=1_024)
def _item_start(kind: str) -> str:
    return f'{{"entity_type":{stringify(kind)}'


def _fields_of(item: Item) -> Item:
    return {key: value for key, value in item.items() if key not in _TYPE_KEYS}


def _by_shape(all_fields: Sequence[Item]) -> dict[Shape, list[Item]]:
    """Return objects by their keys and the types of their values."""
    groups: dict[Shape, list[Item]] = {}
    for fields in all_fields:
        shape = frozenset((key, type(value)) for key, value in fields.items())
        groups.setdefault(shape, []).append(fields)
    return groups


def _comparable(item: Shape, observation: Shape) -> tuple[str, ...] | None:
    """Return the keys on which the two must agree; None where they have no key in common.

    Empty where each shared key has values of two types, or where neither has a field at all: then
    every such observation may state the item.
    """
    shared = {key for key, _ in item} & {key for key, _ in observation}
    if not shared and (item or observation):
        return None
    return tuple(sorted(key for key, _ in item & observation))


def _values(fields: Item, keys: Sequence[str]) -> tuple[Hashable, ...]:
    return tuple(_freeze(fields[key]) for key in keys)


def _freeze(value: JsonValue) -> Hashable:
    """Return a value as it can be looked up; the order of an object's keys makes no difference."""
    if isinstance(value, dict):
        return frozenset((key, _freeze(member)) for key, member in value.items())
    if isinstance(value, list):
        return tuple(map(_freeze, value))
    return value
