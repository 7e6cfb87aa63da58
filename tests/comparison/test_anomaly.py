"""Sudden losses are found, ordinary growth raises no alarm, and how often each is so."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from neotoma_core.comparison.anomaly import Alarm, Counts, drop_of, find_anomalies, raw_file_loss
from neotoma_core.comparison.identity import SAMPLE

START = datetime(2026, 1, 1, tzinfo=UTC)
IDS = tuple(f"{n:04}" for n in range(SAMPLE))


def names(counts: Counts, *history: Counts) -> list[str]:
    return [alarm.what for alarm in find_anomalies(counts, history)]


def test_the_first_backup_has_nothing_to_be_compared_with() -> None:
    assert find_anomalies(Counts(0), []) == ()


@pytest.mark.parametrize("before", [11, 100, 1_000_000])
def test_nearly_all_gone_is_an_alarm_from_the_second_backup_on(before: int) -> None:
    (alarm,) = find_anomalies(Counts(before // 11), [Counts(before)])
    assert (alarm.usual, alarm.now) == (f"{before:,}", f"{before // 11:,}")
    assert str(alarm).startswith("observations: ")


def test_a_few_rows_of_a_tiny_database_are_no_alarm() -> None:
    assert names(Counts(8), Counts(12)) == []
    assert names(Counts(0), Counts(12)) == ["observations"]
    assert names(Counts(1), Counts(10)) == []
    assert names(Counts(0), Counts(9)) == ["observations"]
    assert names(Counts(40), Counts(50)) == ["observations"]
    assert names(Counts(41), Counts(50)) == []
    assert names(Counts(5), Counts(0)) == []


def test_a_tenth_less_is_no_alarm() -> None:
    assert names(Counts(900), Counts(1000)) == []


def test_up_to_fifteen_in_a_hundred_less_is_no_alarm_and_one_more_is() -> None:
    steady = [Counts(1000)] * 3
    assert names(Counts(851), *steady) == []
    assert names(Counts(849), *steady) == ["observations"]


def test_a_table_and_a_type_are_named() -> None:
    history = Counts(1000, {"sources": 500, "substrate_events": 900}, {"task": 400, "note": 3})
    now = Counts(1000, {"sources": 100, "substrate_events": 0}, {"task": 40})
    assert names(now, history) == ["sources", "entities of type task"]


def test_a_table_or_a_type_without_a_count_has_no_rows() -> None:
    before = Counts(1000, {"sources": 40}, {"task": 60, "note": 900})
    assert find_anomalies(Counts(1000, {}, {"note": 900}), [Counts(0), before]) == (
        Alarm("sources", "40", "0"),
        Alarm("entities of type task", "60", "0"),
    )
    empty = Counts(1000, {"sources": 0}, {"task": 0, "note": 10})
    assert names(empty, Counts(1000, {}, {"note": 10}), empty) == []


def test_a_type_is_small_by_what_there_was_last() -> None:
    first = Counts(1000, types={"task": 10})
    last = Counts(1000, types={"task": 10, "note": 1000})
    assert names(Counts(1000, types={"note": 1000}), first, last) == []


def test_a_steady_table_has_no_more_room_than_any_other() -> None:
    steady = [Counts(5000, {"raw_fragments": 1000})] * 5
    assert names(Counts(5000, {"raw_fragments": 600}), *steady) == ["raw_fragments"]
    assert names(Counts(5000, {"raw_fragments": 900}), *steady) == []
    begun = [Counts(5000, {"raw_fragments": n}) for n in (0, 0, 100, 100)]
    assert names(Counts(5000, {"raw_fragments": 60}), *begun) == ["raw_fragments"]


def test_it_looks_back_on_so_many_backups_and_no_further() -> None:
    high, low = [1000, *[100] * 29], [1000, *[100] * 30]
    many, few = ([Counts(n) for n in rows] for rows in (high, low))
    assert (names(Counts(100), *many), names(Counts(100), *few)) == (["observations"], [])
    assert (drop_of(Counts(100), many), drop_of(Counts(100), few)) == (0.9, 0.0)
    assert raw_file_loss(100, high) == Alarm("raw files", "1,000", "100")
    assert raw_file_loss(100, low) is None


def test_raw_files_that_never_were_are_not_missing() -> None:
    assert raw_file_loss(0, []) is None
    assert raw_file_loss(0, [0, 0]) is None
    assert raw_file_loss(0, [0, 40]) == Alarm("raw files", "40", "0")


def test_a_restless_table_has_more_room() -> None:
    rows = [1000, 700, 1000, 690, 710, 1000, 710, 1000, 700]
    history = [Counts(5000, {"raw_fragments": n}) for n in rows]
    assert names(Counts(5000, {"raw_fragments": 690}), *history) == []
    assert names(Counts(5000, {"raw_fragments": 400}), *history) == ["raw_fragments"]


def test_how_much_room_a_table_has_is_six_times_its_spread() -> None:
    history = [Counts(5000, {"raw_fragments": n}) for n in (1000, 950, 1000, 950)]
    assert names(Counts(5000, {"raw_fragments": 770}), *history) == []
    assert names(Counts(5000, {"raw_fragments": 740}), *history) == ["raw_fragments"]


def test_many_small_losses_add_up() -> None:
    history = [Counts(n) for n in (1000, 950, 900, 880)]
    assert names(Counts(740), *history) == ["observations"]


def test_other_rows_in_the_same_number_are_an_alarm() -> None:
    others = tuple(f"x{n:04}" for n in range(SAMPLE))
    history = Counts(1000, sample=IDS)
    assert names(Counts(1000, sample=others), history) == ["observations known before"]
    assert names(Counts(1000, sample=IDS), history) == []
    some = IDS[: SAMPLE * 2 // 3]
    assert find_anomalies(Counts(1000, sample=some), [history]) == (
        Alarm("observations known before", "all there", "66%"),
    )
    assert names(Counts(1000, sample=IDS[: SAMPLE * 9 // 10]), history) == []


def test_a_few_known_rows_less_are_no_alarm() -> None:
    few = IDS[:20]
    assert names(Counts(20, sample=few[5:]), Counts(20, sample=few)) == []
    assert names(Counts(20, sample=few[10:]), Counts(20, sample=few)) == [
        "observations known before"
    ]


def test_what_cannot_be_compared_is_no_alarm() -> None:
    older = tuple(f"-{n:04}" for n in range(SAMPLE))  # before all that were known
    assert names(Counts(9000, sample=older), Counts(1000, sample=IDS)) == []
    assert names(Counts(1000, sample=IDS), Counts(1000)) == []


def test_what_was_known_is_what_the_last_backup_knew() -> None:
    replaced = Counts(1000, newest=START + timedelta(days=9), sample=tuple(f"-{n}" for n in IDS))
    last = Counts(1000, newest=START, sample=IDS)
    assert names(last, replaced, last) == []


def test_growth_by_any_factor_hides_no_known_row() -> None:
    grown = tuple(sorted({*IDS[:40], *(f"00{n:02}x" for n in range(40)), *IDS}))[:SAMPLE]
    assert names(Counts(9000, sample=grown), Counts(1000, sample=IDS)) == []


def test_tombstones_and_empty_fields_that_jump_are_alarms() -> None:
    history = [Counts(1000, tombstones=0.01, nulls=0.3)] * 5
    assert names(Counts(1000, tombstones=0.4, nulls=0.3), *history) == ["tombstones"]
    assert find_anomalies(Counts(1000, tombstones=0.01, nulls=0.6), history) == (
        Alarm("observations with empty fields", "30% of all", "60%"),
    )
    assert names(Counts(20, tombstones=0.5), Counts(20, tombstones=0.1)) == []
    assert names(Counts(1000), *history) == []


def test_a_newest_observation_that_is_older_is_an_alarm() -> None:
    history = Counts(100, newest=START)
    assert find_anomalies(Counts(100, newest=START - timedelta(days=3)), [history]) == (
        Alarm("newest observation", "2026-01-01 or later", "2025-12-29"),
    )
    assert find_anomalies(Counts(100), [history]) == (
        Alarm("newest observation", "2026-01-01 or later", "none"),
    )
    assert names(Counts(100, newest=START - timedelta(days=2)), history) == []


def test_the_drop_is_against_the_most_there_were() -> None:
    assert drop_of(Counts(50), [Counts(100), Counts(80)]) == 0.5
    assert drop_of(Counts(120), [Counts(100)]) == 0.0
    assert drop_of(Counts(0), []) == 0.0
    assert drop_of(Counts(5), [Counts(0)]) == 0.0


def year(draw: random.Random) -> list[Counts]:
    """Return a year of ordinary growth: some days nothing, some days much, a little erased."""
    rows = draw.randrange(100, 20_000)
    backups = []
    for day in range(365):
        rows += draw.choice((0, 0, draw.randrange(30), draw.randrange(300)))
        rows -= draw.randrange(4) if draw.random() < 0.1 else 0
        tables = {"observations": rows, "entities": rows * 6 // 10 - draw.randrange(5)}
        nulls = 0.1 + draw.random() * 0.05
        backups.append(Counts(rows, tables, {}, START + timedelta(days=day), 0.01, nulls))
    return backups


def test_a_year_of_ordinary_growth_raises_at_most_one_alarm() -> None:
    alarms = 0
    for seed in range(40):
        backups = year(random.Random(seed))  # noqa: S311 - a simulation
        for day in range(1, 365, 3):
            alarms += bool(find_anomalies(backups[day], backups[:day]))
    assert alarms * 3 / 40 <= 1


@pytest.mark.parametrize(("share", "found"), [(0.9, 1.0), (0.3, 0.99)])
def test_how_many_losses_are_found(share: float, found: float) -> None:
    draw = random.Random(7)  # noqa: S311 - a simulation
    seen = tried = 0
    for seed in range(40):
        backups = year(random.Random(seed))  # noqa: S311 - a simulation
        for _ in range(25):
            day = draw.randrange(1, 365)
            rows = int(backups[day].observations * (1 - share))
            lost = replace(backups[day], observations=rows, tables={})
            tried += 1
            seen += bool(find_anomalies(lost, backups[:day]))
            assert "observations" in names(lost, *backups[:day]) or share < 0.9
    assert seen >= found * tried
