"""What is known of one copy of a database, as far as decisions need it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from neotoma_core.comparison.identity import Log
from neotoma_core.neotoma.environments import Environment
from neotoma_core.neotoma.instants import instant_ms

Told = Literal["name", "manifest", "content"]


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy whose rows were read.

    ``observations``: how many; ``last``: the latest observed_at. ``suspect``: its rows were
    salvaged from damaged pages. ``handy``: it lies in a plain file, not in an archive;
    ``raw_files``: it has raw files next to it. ``same_as``: a copy with the same bytes.
    ``environment``: as its name or manifest says. ``made_span``: when its first and its last
    observation were made.
    """

    number: int
    path: str
    observations: int
    last: str | None
    environment: Environment | None = None
    suspect: bool = False
    handy: bool = True
    raw_files: bool = False
    same_as: int | None = None
    made_span: tuple[str | None, str | None] = (None, None)

    @property
    def log(self) -> Log:
        """How much it holds, and when that was made."""
        first, last = (None if text is None else instant_ms(text) for text in self.made_span)
        return Log(self.observations, first, last)


def by_preference(copy: Copy) -> tuple[bool, bool, int, bool, int, str]:
    """Return the key by which copies of equal worth sort: the healthiest first, then the newest."""
    worth = (copy.suspect, not copy.raw_files, -copy.observations, not copy.handy)
    return *worth, len(copy.path), copy.path


def newest_first(copies: tuple[Copy, ...]) -> list[Copy]:
    """Return copies in order of preference; ties go to the newest."""
    latest = sorted(copies, key=lambda copy: copy.last or "", reverse=True)
    return sorted(latest, key=lambda copy: copy.suspect)


def with_twins(copies: Iterable[Copy], content: Mapping[int, str]) -> tuple[Copy, ...]:
    """Return the copies, each that has the bytes of a preferred one saying so.

    ``content``: what identifies the bytes of a copy, by its number.
    """
    groups: dict[str, list[Copy]] = {}
    for copy in copies:
        groups.setdefault(content[copy.number], []).append(copy)
    return tuple(sorted((c for g in groups.values() for c in _mark_repeats(g)), key=_number))


def _mark_repeats(group: Sequence[Copy]) -> Iterable[Copy]:
    first = min(group, key=by_preference)
    for copy in group:
        yield copy if copy is first else replace(copy, same_as=first.number)


def _number(copy: Copy) -> int:
    return copy.number
