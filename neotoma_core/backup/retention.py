"""Which backups stay and which go, with reasons. Pure: ``now`` is an argument.

Backups are grouped by what is known of them, their standing; the policy counts each
standing by itself: a backup that failed its drill, or was taken after a loss, never takes the place
of a good one. Periods are counted in backups there are, back from the newest good one, so that a
clock that jumps lets nothing expire.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final, Literal

Standing = Literal["good", "unproven", "failed", "lossy", "future"]
"""good: verified, and not after an unexplained loss. unproven: not verified yet. failed: its drill
failed. lossy: taken after an unexplained loss. future: dated after now."""

RULED: Final[tuple[Standing, ...]] = ("good", "unproven", "failed", "lossy")


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """What of a backup matters here.

    ``sequence`` counts the backups of a vault as they are made; ``taken_at`` is what the clock
    said, UTC.
    """

    name: str
    sequence: int
    taken_at: datetime
    standing: Standing
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How many backups to keep.

    The ``last`` ones, the last of each of so many hours, days, weeks, months that have one, and all
    ``within`` a span before the newest good one.
    """

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    within: timedelta = timedelta(0)

    @property
    def is_empty(self) -> bool:
        """Whether it would keep nothing."""
        return not any(getattr(self, field.name) for field in fields(self))


_BY_TIME: Final = attrgetter("taken_at", "sequence")
_BY_SEQUENCE: Final = attrgetter("sequence")
DEFAULT: Final = RetentionPolicy(daily=30, monthly=12, within=timedelta(hours=24))


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """``keep`` and ``remove``: every backup once, newest first. ``reasons``: of each, by name.

    ``held``: why nothing may be removed at all; empty where something may.
    """

    keep: tuple[str, ...]
    remove: tuple[str, ...]
    reasons: Mapping[str, tuple[str, ...]]
    held: str = ""


def plan_retention(
    backups: Sequence[BackupFacts], policy: RetentionPolicy, *, now: datetime, held: str = ""
) -> RetentionPlan:
    """Decide which backups stay. ``held``: why nothing may be removed, where the caller knows.

    The newest good backup always stays, and so does everything while there is none. What is dated
    after ``now`` stays until its time has come.
    """
    newest_first = sorted(backups, key=_BY_TIME, reverse=True)
    reasons: dict[str, list[str]] = {backup.name: [] for backup in newest_first}
    ruled: dict[str, list[BackupFacts]] = {standing: [] for standing in RULED}
    for backup in newest_first:
        if backup.pinned:
            reasons[backup.name].append("pinned")
        if backup.standing == "future" or backup.taken_at > now:
            reasons[backup.name].append("dated after now")
        else:
            ruled[backup.standing].append(backup)
    good = ruled["good"]
    if good:
        newest = max(good, key=_BY_SEQUENCE)
        reasons[newest.name].append("newest verified")
        for standing, some in ruled.items():
            if some:
                _apply(policy, some, good[0].taken_at, reasons, _suffix(standing))
    elif not held:
        held = "no backup is verified"
    keep: list[str] = []
    remove: list[str] = []
    for backup in newest_first:
        why = reasons[backup.name]
        (keep if why or held else remove).append(backup.name)
        if not why:
            why.append(held or f"{_PAST[backup.standing]}no rule keeps it")
    return RetentionPlan(
        tuple(keep), tuple(remove), {name: tuple(why) for name, why in reasons.items()}, held
    )


_PAST: Final[Mapping[str, str]] = {
    "good": "",
    "unproven": "not verified, ",
    "failed": "failed its drill, ",
    "lossy": "after a loss, ",
    "future": "",
}


def _suffix(standing: str) -> str:
    return "" if standing == "good" else f" ({standing})"


def _apply(
    policy: RetentionPolicy,
    backups: Sequence[BackupFacts],
    newest: datetime,
    reasons: Mapping[str, list[str]],
    suffix: str,
) -> None:
    """Name the rules that keep backups of one standing, newest first."""
    for number, backup in enumerate(backups[: policy.last], 1):
        reasons[backup.name].append(f"last {number}{suffix}")
    if policy.within:
        since, why = newest - policy.within, f"within {_span(policy.within)}{suffix}"
        for backup in backups:
            if backup.taken_at <= since:
                break
            reasons[backup.name].append(why)
    for period, key_of in _KEYS.items():
        most, used, seen = getattr(policy, period), 0, None
        for backup in backups if most else ():
            found = key_of(backup.taken_at)
            if found != seen:
                seen, used = found, used + 1
                reasons[backup.name].append(f"{period} {used}{suffix}")
                if used == most:
                    break


def _span(span: timedelta) -> str:
    hours = span // timedelta(hours=1)
    return f"{hours // 24} d" if hours % 24 == 0 and hours > 24 else f"{hours} h"  # noqa: PLR2004


_KEYS: Final[Mapping[str, Callable[[datetime], object]]] = {
    "hourly": lambda moment: (moment.toordinal(), moment.hour),
    "daily": lambda moment: moment.toordinal(),
    "weekly": lambda moment: (moment.toordinal() - 1) // 7,
    "monthly": lambda moment: (moment.year, moment.month),
}
