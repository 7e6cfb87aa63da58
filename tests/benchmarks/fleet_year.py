"""A year of a fleet, simulated: how late an alarm can be.

Run by hand: ``python -m tests.benchmarks.fleet_year [DATABASES [WORKERS [SEED]]]``. Every night
each database is backed up once, by so many workers, one at a time on a disk, where a restore may be
going on. What can happen is drawn at random, with the rates below: guesses, said in
``docs/scale.md``.
When something counts as overdue, and how often a failure is tried again, the program itself says;
the seconds of a backup are those that ``fleet_benchmark`` and ``backup_benchmark`` measured.

What is printed: by kind of trouble, how many there were in the year, and how many hours passed from
the moment it happened to the first alarm that reached somebody.
"""

import heapq
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from neotoma_core.backup.protection import DAILY, overdue_by
from pipelines.task_defaults import RETRY_DELAYS_SECONDS

START: Final = datetime(2027, 1, 1, 3, tzinfo=UTC)
NIGHTS: Final = 365
DISKS: Final = 20
SECONDS: Final = 0.7  # of a small database, whole
SECONDS_PER_MILLION: Final = 26.0  # observations that are new or changed since the last backup
SLOW: Final = 12.0  # times as long, on a slow disk
RESTORE: Final = timedelta(minutes=10)  # that somebody's restore keeps a disk busy
LOOK: Final = timedelta(hours=1)  # whoever watches heartbeats looks this often


@dataclass(frozen=True, slots=True)
class Rates:
    """How often things happen: to one database in a year, or in a night as a probability.

    ``lost``: rows are lost, a year. ``rotten``: a stored backup is damaged, a year. ``busy``: a
    backup fails and may be tried again, a night. ``failing``: it fails whatever is tried, a night.
    ``restoring``: a restore is going on as a night begins. ``down``: nights in the year on which
    nothing runs at all, in spells of ``spell``. ``unsent``: a message does not arrive.
    """

    lost: float = 0.02
    rotten: float = 0.01
    busy: float = 0.01
    failing: float = 0.0005
    restoring: float = 0.05
    down: int = 6
    spell: int = 3
    unsent: float = 0.02


@dataclass(frozen=True, slots=True)
class Fleet:
    """``slow``: the share of disks that are slow; ``drill_nights``: between whole drills."""

    databases: int = 1_000
    workers: int = 4
    disks: int = DISKS
    slow: float = 0.1
    drill_nights: int = 7
    million: float = 0.2  # millions of observations in a database that changed
    changed: float = 0.3  # the share of databases that changed since last night


@dataclass(slots=True)
class Year:
    """What came of it: hours until the alarm, by kind; hours a night took; backups taken."""

    hours: dict[str, list[float]] = field(default_factory=dict)
    nights: list[float] = field(default_factory=list)
    backups: int = 0

    def add(self, kind: str, since: datetime, alarm: datetime) -> None:
        """Count one trouble, and how late its alarm was."""
        self.hours.setdefault(kind, []).append((alarm - since) / timedelta(hours=1))


def simulate(fleet: Fleet, rates: Rates, seed: int) -> Year:
    """Return a year of a fleet."""
    chance, year = random.Random(seed), Year()  # noqa: S311 - a simulation
    last = dict.fromkeys(range(fleet.databases), START - DAILY)
    losses = _moments(fleet, rates.lost, chance)
    rot = _moments(fleet, rates.rotten, chance)
    down = _dark_nights(rates, chance)
    silent: dict[int, datetime] = {}
    for night in range(NIGHTS):
        begun = START + night * DAILY
        if night in down:
            continue
        ended = dict(_run_night(fleet, rates, begun, chance))
        year.nights.append(_hours_of(ended, begun))
        for database, (end, has_worked) in ended.items():
            before = last[database]
            _notice_silence(year, silent, database, before, begun)
            if not has_worked:
                _tell(year, "a backup fails", begun, end, rates, chance)
                continue
            last[database], year.backups = end, year.backups + 1
            for moment in _take_until(losses, database, end):
                _tell(year, "rows are lost", moment, end, rates, chance)
            if night % fleet.drill_nights == database % fleet.drill_nights:
                for moment in _take_until(rot, database, end):
                    _tell(year, "a stored backup is damaged", moment, end, rates, chance)
    return year


def _tell(  # noqa: PLR0917 - what, from when to when, and who may not hear of it
    year: Year, kind: str, since: datetime, now: datetime, rates: Rates, chance: random.Random
) -> None:
    """Count a trouble as noticed now, or a night later where the message does not arrive."""
    while chance.random() < rates.unsent:
        now += DAILY  # the heartbeat failed as well, and the next run says it again
    year.add(kind, since, now)


def _notice_silence(
    year: Year, silent: dict[int, datetime], database: int, last: datetime, now: datetime
) -> None:
    """Count a database whose backups stopped: when what watches it from outside noticed that."""
    looked = last
    while looked < now:
        looked += LOOK
        if overdue_by(last, DAILY, looked) is not None:
            if silent.get(database) != last:
                year.add("nothing runs", last + DAILY, looked)
                silent[database] = last
            return


def _run_night(
    fleet: Fleet, rates: Rates, begun: datetime, chance: random.Random
) -> Iterator[tuple[int, tuple[datetime, bool]]]:
    """Yield each database, when it was done and whether that worked."""
    free = [begun] * fleet.workers
    disks: dict[int, datetime] = dict.fromkeys(range(fleet.disks), begun)
    if chance.random() < rates.restoring:
        disks[chance.randrange(fleet.disks)] += RESTORE
    for database in range(fleet.databases):
        worker = heapq.heappop(free)
        disk = database % fleet.disks
        start = max(worker, disks[disk])
        seconds, has_worked = _attempt(fleet, rates, disk, chance)
        end = start + timedelta(seconds=seconds)
        disks[disk] = end
        heapq.heappush(free, end)
        yield database, (end, has_worked)


def _attempt(fleet: Fleet, rates: Rates, disk: int, chance: random.Random) -> tuple[float, bool]:
    """Return how long a backup takes, tried again as the flows do, and whether it is taken."""
    new = fleet.million if chance.random() < fleet.changed else 0.0
    once = SECONDS + SECONDS_PER_MILLION * new
    once *= SLOW if disk < fleet.slow * fleet.disks else 1.0
    if chance.random() < rates.failing:
        return once * (1 + len(RETRY_DELAYS_SECONDS)) + sum(RETRY_DELAYS_SECONDS), False
    spent = once
    for delay in RETRY_DELAYS_SECONDS:
        if chance.random() >= rates.busy:
            return spent, True
        spent += delay + once
    return spent, chance.random() >= rates.busy


def _moments(fleet: Fleet, a_year: float, chance: random.Random) -> dict[int, list[datetime]]:
    """Return when something happens to each database, in order."""
    found: dict[int, list[datetime]] = {}
    for database in range(fleet.databases):
        if chance.random() < a_year:
            found[database] = [START + chance.random() * (NIGHTS - 14) * DAILY]
    return found


def _take_until(moments: dict[int, list[datetime]], database: int, now: datetime) -> list[datetime]:
    """Return what has happened to a database by now, each only once."""
    due = [moment for moment in moments.get(database, []) if moment <= now]
    if due:
        moments[database] = [m for m in moments[database] if m > now]
    return due


def _dark_nights(rates: Rates, chance: random.Random) -> frozenset[int]:
    spells = (chance.randrange(1, NIGHTS - 14) for _ in range(rates.down // max(1, rates.spell)))
    return frozenset(night + step for night in spells for step in range(rates.spell))


def _hours_of(ended: Mapping[int, tuple[datetime, bool]], begun: datetime) -> float:
    return max((end - begun) / timedelta(hours=1) for end, _ in ended.values())


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that so large a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    """Simulate and print."""
    words = [int(word) for word in sys.argv[1:]]
    databases, workers, seed = (*words, *(1_000, 4, 1)[len(words) :])
    fleet = Fleet(databases, workers)
    year = simulate(fleet, Rates(), seed)
    print(f"{databases:,} databases, {workers} workers, {year.backups:,} backups in the year")
    longest = max(year.nights)
    print(f"a night takes {quantile(year.nights, 0.5):.2f} h, the longest {longest:.2f} h")
    print(f"{'hours until the alarm':<30}{'times':>8}{'median':>9}{'95 %':>9}{'most':>9}")
    for kind, hours in sorted(year.hours.items()):
        shown = "".join(f"{quantile(hours, share):>9.1f}" for share in (0.5, 0.95, 1.0))
        print(f"{kind:<30}{len(hours):>8,}{shown}")


if __name__ == "__main__":
    main()
