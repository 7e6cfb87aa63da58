"""Which Neotoma last opened a database, as its columns tell: none was ever dropped or renamed."""

from collections.abc import Collection, Mapping
from typing import Final

from neotoma_core.tables import TABLES

FIRST: Final = "2026-02-05"
"""The first release, or day before releases, from which on Neotoma keeps SQLite databases."""


def version_range(stored: Mapping[str, Collection[str]]) -> tuple[str, str | None]:
    """Return the oldest Neotoma that may have written a database, and the first that has not.

    ``stored``: table → its columns. The second is None where every column known here is there.
    """
    present = {FIRST}
    absent: set[str] = set()
    for table in TABLES:
        columns = stored.get(table.name)
        if table.since:
            (present if columns is not None else absent).add(table.since)
        for column in table.columns:
            if column.since and columns is not None:
                (present if column.name in columns else absent).add(column.since)
    newest = max(present, key=_place)
    later = [since for since in absent if _place(since) > _place(newest)]
    return newest, min(later, key=_place, default=None)


def _place(since: str) -> tuple[int, ...]:
    """Return where a release, or a day before releases, stands in time."""
    if since.startswith("v"):
        return (1, *map(int, since[1:].split(".")))
    return (0, *map(int, since.split("-")))
