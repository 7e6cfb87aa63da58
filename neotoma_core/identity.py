"""Which database a copy is of, and how much of what was known is still in it. Pure.

A Neotoma database has no id of its own. Its observations have: hashes, or random. So the first of
them in the order of their ids are a fair sample, which stays nearly the same as the log grows, and
which no other database shares.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SAMPLE: Final = 256
"""How many ids make a sample, at most."""

_FEW: Final = 20  # of a sample, below which its share says little
_TINY: Final = 0.1  # of what was known: a database that was wiped, not another one


@dataclass(frozen=True, slots=True)
class Sample:
    """The first ids of a log, in their order; ``observations`` in all."""

    ids: tuple[str, ...]
    observations: int

    @property
    def hashes(self) -> tuple[str, ...]:
        """The ids, each as a short hash."""
        return tuple(map(hashed_id, self.ids))


def hashed_id(identifier: str) -> str:
    """Return a short hash of an id, for where no id may be."""
    return hashlib.blake2b(identifier.encode(), digest_size=8).hexdigest()


def share_kept(known: Sequence[str], found: Sequence[str]) -> float | None:
    """Return which share of the known ids is still there; None where that cannot be told.

    Both: samples, sorted. Known ids beyond the last one found are left out, unless the sample is
    all there is.
    """
    if len(found) < SAMPLE:
        comparable = list(known)
    else:
        comparable = [identifier for identifier in known if identifier <= found[-1]]
    if len(comparable) < min(_FEW, len(known)) or not comparable:
        return None
    there = set(found)
    return sum(identifier in there for identifier in comparable) / len(comparable)


def is_same_database(
    known: Sequence[str], known_observations: int, found: Sample, *, same_place: bool
) -> bool:
    """Return whether a database is the one a vault protects.

    ``known``: hashes of ids, of the newest sample. Sharing one is enough, and a vault that knows
    none takes any. A database without any of them may be what a wipe left: where it is in the same
    place, and has hardly anything in it.
    """
    if not known or not set(known).isdisjoint(found.hashes):
        return True
    return same_place and found.observations <= known_observations * _TINY
