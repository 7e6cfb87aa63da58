"""The schedule of ``midden serve``: due on time, once, whatever fails."""

from datetime import UTC, datetime, timedelta

import pytest

from neotoma_core.errors import UsageError
from pipelines.serving import Job, run_when_due, with_page

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
