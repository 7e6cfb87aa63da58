"""The simulated year of a fleet: what it says of alarms follows from when things happen."""

from datetime import datetime, timedelta

import pytest

from tests.benchmarks import fleet_year
from tests.benchmarks.fleet_year import Fleet, Rates, quantile, simulate

QUIET = Rates(0, 0, 0, 0, 0, 0, 1, 0)
FEW = Fleet(databases=40, workers=2, disks=4)


def test_a_year_in_which_nothing_happens_has_no_alarm() -> None:
    year = simulate(FEW, QUIET, 1)
    assert year.hours == {}
    assert year.backups == 40 * fleet_year.NIGHTS


def test_rows_that_are_lost_are_noticed_by_the_next_backup() -> None:
    year = simulate(FEW, Rates(1, 0, 0, 0, 0, 0, 1, 0), 1)
    assert len(year.hours["rows are lost"]) == 40
    assert max(year.hours["rows are lost"]) <= 24 + max(year.nights)


def test_a_damaged_backup_is_noticed_by_the_next_whole_drill() -> None:
    year = simulate(FEW, Rates(0, 1, 0, 0, 0, 0, 1, 0), 1)
    assert len(year.hours["a stored backup is damaged"]) == 40
    assert 24 < max(year.hours["a stored backup is damaged"]) <= 7 * 24 + max(year.nights)


def test_that_nothing_runs_is_noticed_a_day_after_it_was_due() -> None:
    year = simulate(FEW, Rates(0, 0, 0, 0, 0, 5, 5, 0), 1)
    assert len(year.hours["nothing runs"]) == 40
    assert max(year.hours["nothing runs"]) <= 24 + fleet_year.LOOK / timedelta(hours=1)


def test_without_the_rule_for_what_is_overdue_nobody_would_notice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(_last: datetime | None, _interval: timedelta, _now: datetime) -> None:
        return None

    monkeypatch.setattr(fleet_year, "overdue_by", never)
    assert "nothing runs" not in simulate(FEW, Rates(0, 0, 0, 0, 0, 5, 5, 0), 1).hours


def test_what_cannot_be_sent_is_a_night_later() -> None:
    year = simulate(FEW, Rates(1, 0, 0, 0, 0, 0, 1, 0.5), 1)
    assert max(year.hours["rows are lost"]) > 24 + max(year.nights)


def test_workers_share_the_night() -> None:
    nights = [simulate(Fleet(40, workers, 4), QUIET, 1).nights for workers in (1, 4)]
    assert quantile(nights[1], 0.5) < quantile(nights[0], 0.5)
