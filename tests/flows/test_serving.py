"""The schedule of ``midden serve``: due on time, once, whatever fails."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from neotoma_core.errors import UsageError
from pipelines.serving import Job, last_of_all, run_when_due, with_page
from tests.conftest import NOW
from tests.support.backing_up import small_vault

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


class Stopped(BaseException):
    """The end of a day."""


class Machine:
    """A clock that only goes on while nothing is done."""

    def __init__(self) -> None:
        self.now = MIDNIGHT
        self.ran: list[tuple[str, int]] = []

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if self.now >= MIDNIGHT + timedelta(days=1):
            raise Stopped

    def job(self, name: str, cron: str, *, hours: int = 0, fails: bool = False) -> Job:
        def run() -> None:
            self.ran.append((name, self.now.hour))
            self.now += timedelta(hours=hours)
            if fails:
                raise ValueError

        return Job(name, cron, run)

    def serve(self, *jobs: Job) -> list[tuple[str, int]]:
        with pytest.raises(Stopped):
            run_when_due(jobs, lambda: self.now, self.sleep)
        return self.ran


def test_each_job_runs_when_it_is_due() -> None:
    machine = Machine()
    jobs = machine.job("backup", "0 */8 * * *"), machine.job("verify", "0 9 * * *")
    assert machine.serve(*jobs) == [("backup", 8), ("verify", 9), ("backup", 16)]


def test_a_job_that_fails_runs_again_and_stops_no_other() -> None:
    machine = Machine()
    jobs = machine.job("backup", "0 6,12 * * *", fails=True), machine.job("verify", "0 7 * * *")
    assert machine.serve(*jobs) == [("backup", 6), ("verify", 7), ("backup", 12)]


def test_what_came_due_meanwhile_runs_once() -> None:
    machine = Machine()
    jobs = machine.job("backup", "0 1 * * *", hours=5), machine.job("verify", "0 * * * *")
    assert machine.serve(*jobs)[:3] == [("backup", 1), ("verify", 6), ("verify", 7)]


def test_what_is_no_cron_expression_is_refused() -> None:
    with pytest.raises(UsageError, match="not a cron expression"):
        Machine().job("backup", "at night").next_after(MIDNIGHT)


def test_the_page_is_looked_at_after_each_job_also_one_that_fails_and_every_ten_minutes() -> None:
    machine = Machine()
    looked: list[datetime] = []
    jobs = with_page(
        [machine.job("backup", "5 6 * * *", fails=True)], lambda: looked.append(machine.now)
    )
    machine.serve(*jobs)
    assert machine.ran == [("backup", 6)]
    assert MIDNIGHT.replace(hour=6, minute=5) in looked
    assert len(looked) == 1 + 24 * 6 - 1


BERLIN = ZoneInfo("Europe/Berlin")


class Year:
    """A clock in a zone, which may jump; while a job runs it stands still."""

    def __init__(self, start: datetime, days: float) -> None:
        self.true = start.astimezone(UTC)
        self.end = self.true + timedelta(days=days)
        self.wrong = timedelta(0)
        self.zone = start.tzinfo
        self.ran: list[datetime] = []
        self.jumps: dict[datetime, timedelta] = {}

    def now(self) -> datetime:
        return (self.true + self.wrong).astimezone(self.zone)

    def sleep(self, seconds: float) -> None:
        self.true += timedelta(seconds=seconds)
        for at in [at for at in self.jumps if at <= self.true]:
            self.wrong += self.jumps.pop(at)
        if self.true >= self.end:
            raise Stopped

    def serve(self, cron: str, last: datetime | None = None) -> list[datetime]:
        job = Job("backup", cron, lambda: self.ran.append(self.now()), lambda: last)
        with pytest.raises(Stopped):
            run_when_due([job], self.now, self.sleep)
        return self.ran


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[arg-type, misc]


def test_each_day_has_one_backup_also_where_summer_begins_and_ends() -> None:
    for start in (local(2026, 3, 27), local(2026, 10, 23)):
        ran = Year(start, 5).serve("30 2 * * *")
        days = [moment.date() for moment in ran]
        assert days == [(start + timedelta(days=number)).date() for number in range(5)]
    ran = Year(local(2026, 3, 27), 5).serve("0 3 * * *")
    assert [(moment.hour, moment.minute) for moment in ran] == [(3, 0)] * 5


def test_an_hour_that_comes_twice_has_two_of_what_is_hourly() -> None:
    ran = Year(local(2026, 10, 25), 1).serve("0 * * * *")
    gaps = {later.astimezone(UTC) - one.astimezone(UTC) for one, later in pairwise(ran)}
    assert gaps == {timedelta(hours=1)}


def test_a_clock_that_jumps_ahead_by_days_has_what_was_missed_made_up_once() -> None:
    year = Year(local(2026, 6, 1, 12), 4)
    year.jumps[local(2026, 6, 2, 12).astimezone(UTC)] = timedelta(days=9, hours=1)
    ran = year.serve("0 3 * * *")
    assert [moment.day for moment in ran] == [2, 11, 12, 13, 14]
    assert ran[1].hour == 13, "at once"


def test_a_clock_that_is_set_back_a_little_repeats_nothing() -> None:
    year = Year(local(2026, 6, 1, 12), 4)
    year.jumps[local(2026, 6, 2, 3, 10).astimezone(UTC)] = -timedelta(minutes=30)
    ran = year.serve("0 3 * * *")
    assert [moment.day for moment in ran] == [2, 3, 4, 5]


def test_a_clock_that_is_set_back_by_weeks_stops_no_backup() -> None:
    year = Year(local(2026, 6, 20, 12), 6)
    year.jumps[local(2026, 6, 22, 12).astimezone(UTC)] = -timedelta(days=30)
    ran = year.serve("0 3 * * *")
    assert [(moment.month, moment.day) for moment in ran] == [
        *((6, 21), (6, 22)),
        *((5, day) for day in (24, 25, 26, 27)),
    ]


def test_what_was_missed_before_it_was_started_is_made_up_once_and_at_once() -> None:
    ran = Year(local(2026, 6, 9, 8), 2).serve("0 3 * * *", local(2026, 6, 5, 3))
    assert [(moment.day, moment.hour) for moment in ran] == [(9, 8), (10, 3), (11, 3)]


@pytest.mark.parametrize("last", [None, local(2026, 6, 9, 3), local(2026, 8, 1)])
def test_what_was_not_missed_is_not_made_up(last: datetime | None) -> None:
    ran = Year(local(2026, 6, 9, 8), 2).serve("0 3 * * *", last)
    assert [(moment.day, moment.hour) for moment in ran] == [(10, 3), (11, 3)]


def test_the_database_that_was_backed_up_longest_ago_says_what_was_missed(tmp_path: Path) -> None:
    one, other = (small_vault(tmp_path / name) for name in ("one", "other"))
    later = NOW + timedelta(days=30)
    one.back_up()
    assert last_of_all([one.target], one.vault, later) == one.now
    assert last_of_all([other.target], other.vault, later) is None
    assert last_of_all([one.target, other.target], other.vault, later) is None
