"""What a user names to look at: a database, a copy of one, or either as it was at a moment."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.documents.asked_times import read_asked_time
from neotoma_core.errors import UsageError

_AT: Final = "@"
_URL: Final = ":/"  # a path loses one of two slashes


@dataclass(frozen=True, slots=True)
class Place:
    """A database, copy, backup or archive. ``words``: as the user wrote it; ``path``: where it is.

    ``moment``: only what was stored by then, ISO 8601 in UTC; None for all.
    """

    words: str
    path: Path
    moment: str | None = None


def split_moment(words: str) -> tuple[str, str | None]:
    """Return what ``PLACE@MOMENT`` names, and the moment; None where it names none.

    A file of that name comes first. Raises UsageError for a moment that there is not.
    """
    place, at, moment = words.rpartition(_AT)
    if not at or not place or not moment[:1].isdigit() or Path(words).exists():
        return words, None
    if _URL in words:  # what comes after the sign may be a host
        with suppress(UsageError):
            return place, read_asked_time(_AT, moment)
        return words, None
    return place, read_asked_time(_AT, moment)
