"""One log of a remote: the entries of one writer, and what they come to. Pure.

A writer is one archive, or one copy of it that went its own way. Its entries are numbered from 1,
and each has the hash of the one before.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from neotoma_core.archive_tables.committed import Committed
from neotoma_core.neotoma.versions import SETTLED
from neotoma_core.remotes.models import Entry, Part, ShippedBackup


@dataclass(frozen=True, slots=True)
class Log:
    """The entries of a writer, in their order; those that are left, where old ones were removed.

    ``last_hash``: of the last entry as it is stored.
    """

    writer: str
    entries: tuple[Entry, ...] = ()
    last_hash: str = ""

    @property
    def archive(self) -> str:
        """The id of the archive that it is of."""
        return self.entries[-1].of_archive if self.entries else self.writer

    @property
    def until(self) -> int:
        """The moment of the last rows that it has, in microseconds UTC; -1 where it has none."""
        return max((table.until for table in self.tables.values()), default=-1)

    @property
    def next_number(self) -> int:
        """The number of the next entry."""
        return self.entries[-1].number + 1 if self.entries else 1

    @property
    def current(self) -> tuple[Entry, ...]:
        """The entries whose rows and raw files count: from the last fresh start."""
        for place in range(len(self.entries) - 1, -1, -1):
            if self.entries[place].begins:
                return self.entries[place:]
        return self.entries

    @property
    def tables(self) -> Mapping[str, Committed]:
        """What each table of the log has committed."""
        return self.entries[-1].tables if self.entries else {}

    @property
    def parts(self) -> Iterator[Part]:
        """The parts of all tables, in the order in which they were pushed."""
        for entry in self.current:
            yield from entry.parts

    @property
    def raw_files(self) -> dict[str, int]:
        """Sizes of raw files by name, ``<user>/<sha256>``."""
        return {name: size for entry in self.current for name, size in entry.raw_files.items()}

    @property
    def backups(self) -> dict[str, ShippedBackup]:
        """The backups that were shipped and not removed since, by name."""
        there: dict[str, ShippedBackup] = {}
        for entry in self.entries:
            there |= {backup.name: backup for backup in entry.backups}
            for name in entry.pruned:
                there.pop(name, None)
        return there

    @property
    def shipped_backups(self) -> frozenset[str]:
        """The names of all backups that ever were shipped, also of those that were removed."""
        shipped = (backup.name for entry in self.entries for backup in entry.backups)
        return frozenset(shipped) | self.pruned

    @property
    def pruned(self) -> frozenset[str]:
        """The names of the backups that entries say were removed."""
        return frozenset(name for entry in self.entries for name in entry.pruned)

    @property
    def renamed(self) -> dict[str, str]:
        """Under which other names contents are whose names were condemned."""
        return {name: other for entry in self.entries for name, other in entry.renamed.items()}

    @property
    def condemned(self) -> tuple[str, ...]:
        """The objects that its entries condemn."""
        return tuple(sorted({name for entry in self.entries for name in entry.condemned}))

    @property
    def release(self) -> str:
        """The release of the database when it was pushed last."""
        return self.entries[-1].release if self.entries else SETTLED

    @property
    def erasures(self) -> tuple[str, ...]:
        """The lines of the writer's ledger."""
        return tuple(line for entry in self.current for line in entry.erasures)

    @property
    def observations(self) -> frozenset[str]:
        """Ids of some observations of the database."""
        return frozenset(name for entry in self.entries for name in entry.observations)

    def with_entry(self, entry: Entry, stored: bytes) -> "Log":
        """Return the log with another entry; ``stored``: as it is stored."""
        return replace(self, entries=(*self.entries, entry), last_hash=hash_of(stored))


def hash_of(stored: bytes) -> str:
    """Return the hash by which the next entry knows an entry, as it is stored."""
    return hashlib.sha256(stored).hexdigest()


def following_writer(writer: str, state: str) -> str:
    """Return who writes for an archive whose log ``writer`` writes, or wrote, from another copy.

    ``state``: what the archive holds; copies that hold the same begin the same log.
    """
    return hashlib.sha256(f"{writer} {state}".encode()).hexdigest()[: len(writer)]


def break_in(entries: Mapping[int, tuple[Entry, str]]) -> str:
    """Return what is wrong with the entries of a log, by number, each with its hash; or nothing.

    Before a fresh start old entries may be missing, from the oldest on.
    """
    numbers = sorted(entries)
    first = numbers[0]
    if first != 1 and not any(entries[number][0].begins for number in numbers):
        return f"entry {first - 1} is missing"
    for before, number in pairwise(numbers):
        if number != before + 1:
            return f"entry {before + 1} is missing"
        if entries[number][0].previous != entries[before][1]:
            return f"entry {before} is not the one that the next one was made for"
    return ""
