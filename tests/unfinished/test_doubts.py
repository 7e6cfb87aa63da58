from neotoma_core.neotoma.json import instant_ms
from neotoma_core.unfinished.doubts import SETTLING_MS, Doubts

NOW = instant_ms("2026-02-01T10:00:00.000Z") or 0
LONG_AGO = "2026-01-01T00:00:00.000Z"


def test_what_was_written_a_moment_ago_may_still_be_written_to() -> None:
    doubts = Doubts(NOW)
    assert SETTLING_MS == 60_000
    assert doubts.of("2026-02-01T09:59:00.001Z") == "recent"
    assert doubts.of("2026-02-01T09:59:00.000Z") is None
    assert doubts.of("2026-02-01T10:00:30.000Z") == "recent"  # while the copy was taken
    assert doubts.of("2026-02-01T10:01:00.000Z") is None  # a wrong clock is not a store


def test_a_long_store_runs_as_long_as_its_last_observation_is_recent() -> None:
    doubts = Doubts(NOW)
    assert doubts.of(LONG_AGO, LONG_AGO, "2026-02-01T09:59:59.000Z") == "recent"
    assert doubts.of(LONG_AGO, None) is None


def test_entities_of_a_store_that_runs_are_as_recent_as_it() -> None:
    doubts = Doubts(NOW, busy_since=instant_ms("2026-02-01T09:50:00.000Z"))
    assert doubts.of("2026-02-01T09:50:00.000Z") == "recent"
    assert doubts.of("2026-02-01T09:49:59.999Z") is None


def test_what_is_older_than_an_erasure_may_have_been_erased_in_part() -> None:
    doubts = Doubts(NOW, erased=instant_ms("2026-01-15T00:00:00Z"))
    assert doubts.of(LONG_AGO) == "erased"
    assert doubts.of("2026-01-15T00:00:00.000Z", "2026-01-20T00:00:00.000Z") == "erased"
    assert doubts.of("2026-01-15T00:00:00.001Z") is None


def test_what_has_no_readable_time_is_as_old_as_can_be() -> None:
    assert Doubts(NOW, erased=0).of(None) == "erased"
    assert Doubts(NOW, erased=0).of("teatime") == "erased"
    assert Doubts(NOW).of("teatime") is None
    assert Doubts(NOW).of() is None
