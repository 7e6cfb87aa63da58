"""Objects that no entry names and that are to go: first an entry says so, later they are deleted.

An object that nothing names yet may be one that a push is about to name. So

- an entry condemns it, by name, and never takes that back;
- from then on no push relies on it: it ships what it needs under another name. Each looks once
  more right before its entry, since what it shipped may have been condemned meanwhile;
- it is deleted only if no entry names it, and a grace after that entry, by the clock of the store.

Invariant: the grace is longer than a push takes from its last look to its entry. So whatever an
entry names was not condemned when it was looked at, or is named before anything is deleted.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count

from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import LOG
from neotoma_core.remotes.names import entry_place, fresh_name
from neotoma_core.remotes.remote import Remote, read_entry

Place = tuple[str, int]
"""The writer and the number of an entry."""


@dataclass(frozen=True, slots=True)
class Condemned:
    """The names that no push may rely on, and the entries that were read for that."""

    names: frozenset[str] = frozenset()
    seen: frozenset[Place] = frozenset()


def condemned_in(logs: Mapping[str, Log]) -> Condemned:
    """Return what the entries of logs condemn."""
    entries = [entry for log in logs.values() for entry in log.entries]
    return Condemned(
        frozenset(name for entry in entries for name in entry.condemned),
        frozenset((entry.writer, entry.number) for entry in entries),
    )


def look_again(remote: Remote, known: Condemned) -> Condemned:
    """Return what is condemned by now: one listing, and a request for each entry that is new.

    Raises RemoteDamaged, and what a store raises.
    """
    places = {place for one in remote.store.list(f"{LOG}/") if (place := entry_place(one.name))}
    new = [read_entry(remote, *place) for place in sorted(places - known.seen)]
    names = (name for entry in new for name in entry.condemned)
    return Condemned(known.names.union(names), known.seen | places)


def names_to_use(names: Collection[str], condemned: Collection[str]) -> dict[str, str]:
    """Return by which other names contents go whose own names are condemned. Pure."""
    found = {}
    for name in names:
        if name in condemned:
            others = (fresh_name(name, number) for number in count(1))
            found[name] = next(other for other in others if other not in condemned)
    return found
