"""Which Neotoma wrote a database: it has no stamp, but newer versions add to it. Pure.

Tables, columns and indexes are never dropped or renamed (format, section 1.3; format delta, B).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from neotoma_core.neotoma.tables import TABLES, Table

FIRST: Final = "2026-02-05"
"""The day of the first client that wrote SQLite."""

SETTLED: Final = "v0.22.1"
"""The last release of those whose rules are those of 0.22. What they have every database is given;
what came later is given to those alone that have some of it: it tells by which rules they are to be
reduced (format delta, F)."""


def version_range(
    columns: Mapping[str, Collection[str]], indexes: Collection[str]
) -> tuple[str, str | None]:
    """Return the oldest version that can have written a database, and the first that did not.

    ``columns``: of each of its tables; ``indexes``: the names of all. The second is None where it
    has all that is known.
    """
    present = {FIRST}
    absent: set[str] = set()
    for table in TABLES:
        there = columns.get(table.name)
        for column in table.columns:
            since = column.since or table.since or FIRST
            (present if there is not None and column.name in there else absent).add(since)
        for index in table.indexes:
            if index.since:
                (present if index.name in indexes else absent).add(index.since)
    oldest = max(present, key=_age)
    later = [version for version in absent if _age(version) > _age(oldest)]
    return oldest, min(later, key=_age, default=None)


def signs_of_newer(names: Collection[str]) -> tuple[str, ...]:
    """Return those tables and indexes, of the ``names`` given, that came after ``SETTLED``.

    Of the newest release first.
    """
    later = sorted(_later().items(), key=lambda item: _age(item[1]), reverse=True)
    return tuple(name for name, _ in later if name in names)


def release_of(names: Collection[str]) -> str:
    """Return the newest release that one of the tables and indexes given is of, or ``SETTLED``."""
    return max((_later()[sign] for sign in signs_of_newer(names)), key=_age, default=SETTLED)


def release_named(name: object) -> str:
    """Return the release of a name that was read from outside; ``SETTLED`` for any other."""
    return str(name) if name in _later().values() else SETTLED


def newest_of(*releases: str) -> str:
    """Return the newest of some releases."""
    return max(releases, key=_age)


def tables_at(release: str) -> tuple[Table, ...]:
    """Return the tables as a release has them, in the order of ``TABLES``."""
    return tuple(
        replace(
            table,
            columns=tuple(c for c in table.columns if _had(c.since, release)),
            indexes=tuple(i for i in table.indexes if _had(i.since, release)),
        )
        for table in TABLES
        if _had(table.since, release)
    )


def _later() -> dict[str, str]:
    """Return the tables and indexes that came after ``SETTLED``, and the release they came with."""
    named = {table.name: table.since for table in TABLES}
    named |= {i.name: i.since or table.since for table in TABLES for i in table.indexes}
    return {name: since for name, since in named.items() if since and not _had(since, SETTLED)}


def _had(since: str | None, release: str) -> bool:
    return since is None or _age(since) <= _age(release)


def _age(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by; days are those before the first release."""
    released = version.startswith("v")
    return (int(released), *map(int, re.findall(r"\d+", version)))
