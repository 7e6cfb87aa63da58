"""When a timer runs, and whether a run is due."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from neotoma_core.timers.timer import is_due, last_due, timer_name, when_of

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("every", "now", "due"),
    [
        ("daily", "2026-03-12 03:00", "2026-03-12 03:00"),
        ("daily", "2026-03-12 02:59", "2026-03-11 03:00"),
        ("daily", "2026-03-01 01:00", "2026-02-28 03:00"),
        ("hourly", "2026-03-12 00:10", "2026-03-12 00:00"),
        ("weekly", "2026-03-15 03:00", "2026-03-15 03:00"),  # a Sunday
        ("weekly", "2026-03-15 02:00", "2026-03-08 03:00"),
        ("weekly", "2026-03-14 23:00", "2026-03-08 03:00"),
    ],
)
def test_the_last_time_that_a_run_was_due(every: str, now: str, due: str) -> None:
    moments = [datetime.fromisoformat(text).replace(tzinfo=BERLIN) for text in (now, due)]
    assert last_due(when_of(every, "03:00"), moments[0]) == moments[1]


def test_an_hourly_run_keeps_its_minute() -> None:
    now = datetime(2026, 3, 12, 0, 10, tzinfo=BERLIN)
    assert last_due(when_of("hourly", "03:20"), now) == now.replace(day=11, hour=23, minute=20)


def test_a_run_that_was_missed_is_due_until_it_is_made_up() -> None:
    when, now = when_of("daily", "03:00"), datetime(2026, 3, 12, 9, 0, tzinfo=BERLIN)
    assert is_due(when, None, now)
    assert is_due(when, now - timedelta(hours=7), now)
    assert not is_due(when, now - timedelta(hours=5), now)


def test_two_databases_of_one_name_have_two_timers() -> None:
    names = {timer_name(Path(place)) for place in ("/a/neotoma.db", "/b/neotoma.db")}
    assert len(names) == 2
    assert all("/" not in name and " " not in timer_name(Path("/x/a b\n.db")) for name in names)
