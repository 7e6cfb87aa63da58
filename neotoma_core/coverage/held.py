"""Who holds what: rows of many copies told apart by the set of copies that have them.

However many rows there are, few such sets are: so decisions go over the sets, not the rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

_BITS: Final = 62  # of a signed word, so that sums of them never overflow


@dataclass(frozen=True, slots=True)
class Held:
    """How many rows exactly this set of copies has, and no other copy."""

    holders: frozenset[int]
    rows: int


def count_held(copies: Mapping[int, pl.DataFrame]) -> tuple[Held, ...]:
    """Return how many rows each set of copies holds, the largest first.

    ``copies``: by number, one row per row held; all frames have the same columns, which together
    name a row, and hold no row twice. Equal rows of two copies are one row.
    """
    if not copies:
        return ()
    places = {number: place for place, number in enumerate(sorted(copies))}
    words = [
        _mark_holders(copies, {n: p for n, p in places.items() if p // _BITS == word}, f"_{word}")
        for word in range(len(places) // _BITS + 1)
    ]
    marked = words[0]
    for word in words[1:]:
        keys = [name for name in word.columns if not name.startswith("_")]
        marked = marked.join(word, on=keys, how="full", coalesce=True, nulls_equal=True)
    names = [name for name in marked.columns if name.startswith("_")]
    counted = marked.with_columns(pl.col(names).fill_null(0)).group_by(names).len()
    found = [
        Held(frozenset(n for n, p in places.items() if masks[p // _BITS] >> (p % _BITS) & 1), rows)
        for *masks, rows in counted.iter_rows()
    ]
    return tuple(sorted(found, key=lambda held: (-held.rows, sorted(held.holders))))


def add_up(*parts: Iterable[Held]) -> tuple[Held, ...]:
    """Return the sums of several tables: one entry per set of copies."""
    rows: dict[frozenset[int], int] = {}
    for part in parts:
        for held in part:
            rows[held.holders] = rows.get(held.holders, 0) + held.rows
    return tuple(Held(holders, count) for holders, count in rows.items())


def rows_of(held: Iterable[Held], copies: Iterable[int]) -> int:
    """Return how many rows the copies hold together."""
    wanted = frozenset(copies)
    return sum(one.rows for one in held if one.holders & wanted)


def missing_from(held: Iterable[Held], copies: Iterable[int]) -> int:
    """Return how many rows none of the copies holds."""
    wanted = frozenset(copies)
    return sum(one.rows for one in held if not one.holders & wanted)


def exclusive_to(held: Iterable[Held], copies: Iterable[int]) -> int:
    """Return how many rows only these copies hold."""
    own = frozenset(copies)
    return sum(one.rows for one in held if one.holders <= own)


def _mark_holders(
    copies: Mapping[int, pl.DataFrame], places: Mapping[int, int], name: str
) -> pl.DataFrame:
    """Return the rows of some copies, each once, with a bit for every copy that has it."""
    empty = next(iter(copies.values())).clear()
    bits = [
        copies[number].with_columns(pl.lit(1 << place % _BITS, pl.Int64).alias(name))
        for number, place in places.items()
    ]
    everything = pl.concat([empty.with_columns(pl.lit(0, pl.Int64).alias(name)), *bits])
    return everything.group_by(empty.columns).agg(pl.col(name).sum())
