"""A year of daily backups in a vault to which everything happens that may: an invented world.

On random days the database is wiped, backups fail their drills, the clock jumps, files are planted
and the vault becomes unreadable for a while. What is asked each day: is there a backup that really
holds everything, and is the newest one there was still there?
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from neotoma_core.backup.retention import DEFAULT, BackupFacts, RetentionPolicy, plan_retention
from neotoma_core.backup.standing import facts_of, find_unexplained, judge_backup
from neotoma_core.comparison.anomaly import Counts
from neotoma_core.documents.stored_file import StoredFile
from neotoma_core.vault.manifests import Backup, BackupState, Drill, Manifest, RawFiles

DAYS: Final = 365
_START: Final = datetime(2026, 1, 1, 3, tzinfo=UTC)
_NO_FILE: Final = StoredFile("database.db.zst", 0, "", 0, "")


@dataclass
class World:
    """One year. ``whole``: the names of backups that really hold everything and are undamaged."""

    random: random.Random
    policy: RetentionPolicy = DEFAULT
    backups: list[Backup] = field(default_factory=list)
    facts: dict[str, BackupFacts] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    rows: int = 0
    lost: bool = False
    era: int = 0
    alarmed: bool = False

    def __post_init__(self) -> None:
        draw = self.random
        self.rows = draw.randrange(200, 5_000)
        self.rotates_every = draw.choice((1, 3, 7))  # days
        self.growth = draw.randrange(0, 60)
        self.wiped_on = draw.randrange(2, DAYS - 5)
        self.noticed_on = self.wiped_on + draw.choice((1, 2, 9, 60, 10_000))
        self.jumps = {
            day + n: timedelta(days=draw.randrange(-500, 500))
            for day in draw.sample(range(2, DAYS), 4)
            for n in range(draw.randrange(1, 4))
        }
        self.failing = set(draw.sample(range(2, DAYS), 25))
        self.doubtful = set(draw.sample(range(2, DAYS), 6))
        self.planted = set(draw.sample(range(2, DAYS), 6))

    def day(self, number: int) -> None:
        """Live through one day: what happens to the database, a backup, rotation."""
        before = self.rows
        self.rows += self.random.randrange(self.growth + 1)
        if number == self.wiped_on:
            self.full_rows = before
            self.rows, self.lost, self.era = self.random.randrange(0, before // 10), True, 1
        if number == self.noticed_on:
            self.rows, self.lost, self.era = self.full_rows + self.rows, False, 0
        now = _START + timedelta(days=number) + self.jumps.get(number, timedelta(0))
        self._back_up(number, now)
        if number % self.rotates_every == 0:
            self._rotate(number, now)

    def _back_up(self, number: int, now: datetime) -> None:
        counts = Counts(
            self.rows, newest=_START + timedelta(days=number), sample=_SAMPLES[self.era]
        )
        fails = number in self.failing
        if number in self.planted:  # of another database, as if it were good, and from the future
            now += timedelta(days=900)
        name = f"b{number}"
        outcome = self.random.choice(("fail", "inconclusive")) if fails else "pass"
        drill = Drill(now, outcome, "none" if fails else "recomputed")  # type: ignore[arg-type]
        manifest = _manifest(name, number, now, counts)
        alarms, _ = judge_backup(manifest, self.backups, Path("no vault"))
        self.alarmed = bool(alarms)
        backup = Backup(manifest, BackupState(drill, None if fails else now, alarms))
        self.backups.append(backup)
        self.facts[name] = facts_of(backup, now)
        if not fails and not self.lost:
            self.whole.append(name)

    def _rotate(self, number: int, now: datetime) -> None:
        held = "unreadable" if number in self.doubtful else ""
        held = held or ("frozen" if find_unexplained(self.backups) else "")
        if held:
            return  # no plan removes anything then
        facts = list(self.facts.values())
        gone = plan_retention(facts, self.policy, now=now, held=held).remove
        if gone:
            self.backups = [backup for backup in self.backups if backup.name not in gone]
            for name in gone:
                del self.facts[name]

    @property
    def newest_whole_is_there(self) -> bool:
        """Whether the newest backup that really holds everything is still there."""
        return not self.whole or self.whole[-1] in self.facts


_SAMPLES: Final = tuple(tuple(f"{era}{n:06}" for n in range(24)) for era in ("a", "b"))


def _manifest(name: str, number: int, now: datetime, counts: Counts) -> Manifest:
    return Manifest(
        "vault", name, number, "scheduled", now, 1.0, "t", None, ("v0.3.0", None), _NO_FILE, (), {},
        counts, (), RawFiles(),
    )  # fmt: skip


def live(seed: int) -> World:
    """Live through a year and return it; raises AssertionError on a day without a good copy."""
    world = World(random.Random(seed))  # noqa: S311 - a simulation
    for number in range(DAYS):
        world.day(number)
        assert world.newest_whole_is_there, f"seed {seed}, day {number}"
        assert not world.lost or world.alarmed, f"seed {seed}, day {number}: not noticed"
    return world
