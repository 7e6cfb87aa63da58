"""Which database a copy is of, and how much of what was known is still in it. Pure.

A Neotoma database has no id of its own, and its users mostly have the same one. Its rows tell: a
random id, or an id with the very moment of its creation, is in two databases only if both descend
from one. The id of an observation alone is a hash of what was observed, which may have been stored
in both.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

SAMPLE: Final = 256
"""How many ids make a sample, at most."""

_HANDFUL: Final = 3  # observations; of fewer, what is shared says nothing
_FEW: Final = 20  # of a sample, below which its share says little
_TINY: Final = 0.1  # of what was known: a database that was wiped, not another one


Relation = Literal["same", "begun anew", "unknown", "other"]
"""What one log is to another: of the same database; what came after that was wiped; one of them is
too small to tell; of another database."""

Place = Literal["recorded", "alike", "elsewhere"]
"""Where the offered log comes from: the vault says it was the database's own; its name is of the
same environment; neither."""


@dataclass(frozen=True, slots=True)
class Log:
    """How many observations a log holds, and when the first and the last were made.

    Milliseconds since 1970, UTC; None where that is not known.
    """

    observations: int
    first: int | None = None
    last: int | None = None

    @property
    def is_telling(self) -> bool:
        """Whether it holds enough that having nothing of it in common means something."""
        return self.observations >= _HANDFUL


@dataclass(frozen=True, slots=True)
class Shared:
    """What two logs have in common.

    ``made``: rows that only one database can have made; ``stated``: observations by id alone.
    """

    made: int
    stated: int


NOTHING_SHARED: Final = Shared(0, 0)


def relation(held: Log, offered: Log, shared: Shared, place: Place = "elsewhere") -> Relation:
    """Return what one log is to another.

    Where one begins after the last row of the other, it may be what came after a wipe: certainly if
    the vault knows both by their place, else only while it is small.
    """
    if is_same_memory(shared, held.observations, offered.observations):
        return "same"
    if not (held.is_telling and offered.is_telling):
        return "unknown"
    if _follows(held, offered, shared, place) or _follows(offered, held, shared, place):
        return "begun anew"
    return "other"


def _follows(later: Log, earlier: Log, shared: Shared, place: Place) -> bool:
    if later.first is None or earlier.last is None or later.first <= earlier.last:
        return False
    likely = place == "alike" or shared.stated > 0
    most = max(_FEW, earlier.observations * _TINY) if likely else _FEW
    return place == "recorded" or later.observations <= most


def is_same_memory(shared: Shared, observations: int, others: int) -> bool:
    """Return whether two logs, of so many observations each, are of one database.

    One row that was made once proves it. What was stated in both proves it where it is most of what
    one of them has: then that was started over, as after a reset.
    """
    return shared.made > 0 or (shared.stated > 0 and 2 * shared.stated >= min(observations, others))


@dataclass(frozen=True, slots=True)
class Sample:
    """The first ids of a log, in their order; ``observations`` in all."""

    ids: tuple[str, ...]
    observations: int

    @property
    def hashes(self) -> tuple[str, ...]:
        """The ids, each as a short hash."""
        return tuple(map(hash_id, self.ids))


def hash_id(identifier: str) -> str:
    """Return a short hash of an id, for where no id may be."""
    return hashlib.blake2b(identifier.encode(), digest_size=8).hexdigest()


def share_kept(known: Sequence[str], found: Sequence[str]) -> float | None:
    """Return which share of the known ids is still there; None where that is unknown.

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
    known: Sequence[str],
    known_observations: int,
    found: Sample,
    *,
    same_place: bool,
    begun_after: bool = False,
) -> bool:
    """Return whether a database is the one a vault protects.

    ``known``: hashes of ids, of every sample. Sharing one is enough, and a vault that knows none
    takes any. A database without any of them may be what a wipe left: where it is in the same
    place, and has hardly anything in it, or was ``begun_after`` all that is known.
    """
    if not known or not set(known).isdisjoint(found.hashes):
        return True
    return same_place and (begun_after or found.observations <= known_observations * _TINY)


def knows_nothing_of(known: Sample, found: Sample) -> bool:
    """Return whether a log, known by a sample, has nothing in common with another one.

    Only ids that the known sample reaches count, and of a sample that is not the whole log, many.
    What a wipe left knows nothing of what was before: compared with that it is too small to tell.
    """
    if known.observations < max(_HANDFUL, found.observations * _TINY):
        return False
    is_whole = len(known.ids) < SAMPLE
    reached = [i for i in found.ids if is_whole or i <= known.ids[-1]]
    enough = _HANDFUL if is_whole else _FEW
    return len(reached) >= enough and set(known.ids).isdisjoint(reached)
