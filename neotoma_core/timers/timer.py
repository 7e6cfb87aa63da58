"""A timer: what it runs and when, and whether a run is due. Pure."""

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, cast

Every = Literal["hourly", "daily", "weekly"]
_LONGEST_SLUG: Final = 60
_SUNDAY: Final = 6
_SPANS: Final[dict[Every, timedelta]] = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True)
class When:
    """How often, and at which time of this machine's day; of it hourly only takes the minute.

    Weekly is on Sundays.
    """

    every: Every = "daily"
    hour: int = 3
    minute: int = 0

    @property
    def interval(self) -> timedelta:
        """How much time lies between two runs."""
        return _SPANS[self.every]

    def __str__(self) -> str:
        """Return it as words."""
        if self.every == "hourly":
            return f"hourly, at minute {self.minute:02}"
        on = "on Sundays" if self.every == "weekly" else "daily"
        return f"{on} at {self.hour:02}:{self.minute:02}"


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer by its ``name``, which is one file name; ``command``: the words that it runs.

    ``log``: where the output goes, if the system does not keep it.
    """

    name: str
    command: tuple[str, ...]
    when: When
    log: Path


def when_of(every: str, at: str) -> When:
    """Return when a timer runs; ``at``: as 03:00."""
    hour, _, minute = at.partition(":")
    return When(cast("Every", every), int(hour), int(minute))


def timer_name(target: Path) -> str:
    """Return the name of the timer of a database: its file name and a hash of its place."""
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", target.name)[:_LONGEST_SLUG]
    digest = hashlib.sha256(os.fsencode(target.absolute())).hexdigest()[:8]
    return f"midden-{slug}-{digest}"


def last_due(when: When, now: datetime) -> datetime:
    """Return the last moment at which a run was due; ``now``: in this machine's own zone."""
    if when.every == "hourly":
        due = now.replace(minute=when.minute, second=0, microsecond=0)
        return due if due <= now else due - timedelta(hours=1)
    due = now.replace(hour=when.hour, minute=when.minute, second=0, microsecond=0)
    if when.every == "weekly":
        due -= timedelta(days=(now.weekday() - _SUNDAY) % 7)
    return due if due <= now else due - when.interval


def is_due(when: When, last: datetime | None, now: datetime) -> bool:
    """Return whether no backup was taken since a run was due last."""
    return last is None or last < last_due(when, now)
