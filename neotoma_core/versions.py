"""Which Neotoma wrote a database: it has no stamp, but newer versions add columns. Pure.

Columns are never dropped or renamed (format, section 1.3).
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from neotoma_core.tables import TABLES

FIRST: Final = "2026-02-05"
"""The day of the first client that wrote SQLite."""


def version_range(columns: Mapping[str, Collection[str]]) -> tuple[str, str | None]:
    """Return the oldest version that can have written a database, and the first that did not.

    ``columns``: of each of its tables. The second is None where it has all that is known.
    """
    present = {FIRST}
    absent: set[str] = set()
    for table in TABLES:
        there = columns.get(table.name)
        for column in table.columns:
            since = column.since or table.since or FIRST
            (present if there is not None and column.name in there else absent).add(since)
    oldest = max(present, key=_age)
    later = [version for version in absent if _age(version) > _age(oldest)]
    return oldest, min(later, key=_age, default=None)


def _age(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by; days are those before the first release."""
    released = version.startswith("v")
    return (int(released), *map(int, re.findall(r"\d+", version)))
