"""Rotation: what stays, why, and that the last good backup is never among what goes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.backup.retention import (
    DEFAULT,
    BackupFacts,
    RetentionPlan,
    RetentionPolicy,
    Standing,
    plan_retention,
)
from tests.support.vault_years import live

DAY = timedelta(days=1)
NOW = datetime(2026, 6, 30, 12, 30, tzinfo=UTC)
YEARS = 1_000


def good(name: str, age: timedelta, standing: Standing = "good", **cells: bool) -> BackupFacts:
    sequence = 100_000 - int(age / timedelta(minutes=1))
    return BackupFacts(name, sequence, NOW - age, standing, **cells)


def plan_for(*backups: BackupFacts, policy: RetentionPolicy = DEFAULT) -> RetentionPlan:
    return plan_retention(backups, policy, now=NOW)


def names_kept_by(plan: RetentionPlan, rule: str) -> list[str]:
    return [name for name in plan.keep if any(rule in why for why in plan.reasons[name])]


def test_the_last_of_each_day_stays_and_its_reason_is_named() -> None:
    hour = timedelta(hours=1)
    plan = plan_for(
        good("a", hour), good("b", 2 * hour), good("c", 3 * DAY), good("d", 3 * DAY + hour)
    )
    assert plan.keep == ("a", "b", "c")
    assert plan.remove == ("d",)
    assert plan.reasons["a"] == ("newest verified", "within 24 h", "daily 1", "monthly 1")
    assert plan.reasons["b"] == ("within 24 h",)
    assert plan.reasons["d"] == ("no rule keeps it",)


def test_a_month_of_days_and_a_year_of_months_stay() -> None:
    plan = plan_for(*(good(f"{n:03}", n * DAY) for n in range(500)))
    assert plan.keep[:30] == tuple(f"{n:03}" for n in range(30))
    assert len(names_kept_by(plan, "daily")) == 30
    assert len(names_kept_by(plan, "monthly")) == 12
    assert len(plan.keep) == 30 + 12 - 1  # of this month and this day


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (RetentionPolicy(last=2), "ab"),
        (RetentionPolicy(hourly=2), "ac"),
        (RetentionPolicy(weekly=2), "ae"),
        (RetentionPolicy(within=3 * DAY), "abcd"),
    ],
)
def test_each_rule_keeps_what_it_says(policy: RetentionPolicy, kept: str) -> None:
    ages = (0, 0.1, 2, 30, 24 * 9)
    plan = plan_for(
        *(good(n, timedelta(hours=h)) for n, h in zip("abcde", ages, strict=True)), policy=policy
    )
    assert "".join(plan.keep) == kept


@pytest.mark.parametrize(
    ("policy", "age"),
    [(RetentionPolicy(hourly=2), DAY), (RetentionPolicy(monthly=2), 365 * DAY)],
)
def test_the_same_hour_of_another_day_and_month_of_another_year_is_another(
    policy: RetentionPolicy, age: timedelta
) -> None:
    plan = plan_for(good("a", 0 * DAY), good("b", age), policy=policy)
    assert plan.keep == ("a", "b")


def test_a_week_begins_on_monday() -> None:
    sunday = NOW - 2 * DAY
    assert f"{sunday:%A}" == "Sunday"
    plan = plan_for(*(good(f"{n}", n * DAY) for n in range(24)), policy=RetentionPolicy(weekly=4))
    assert plan.keep == ("0", "2", "9", "16")


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        (1, "1 h"),
        (24, "24 h"),
        (25, "25 h"),
        (47, "47 h"),
        (48, "2 d"),
        (49, "49 h"),
        (720, "30 d"),
    ],
)
def test_a_span_is_shown_in_days_where_it_is_of_days(hours: int, shown: str) -> None:
    policy = RetentionPolicy(within=timedelta(hours=hours))
    assert plan_for(good("a", DAY), policy=policy).reasons["a"] == (
        "newest verified",
        f"within {shown}",
    )


@pytest.mark.parametrize("rule", ["last", "hourly", "daily", "weekly", "monthly"])
def test_a_policy_of_any_rule_is_not_empty(rule: str) -> None:
    assert not RetentionPolicy(**{rule: 1}).is_empty  # type: ignore[arg-type]  # counts
    assert not RetentionPolicy(within=DAY).is_empty
    assert RetentionPolicy().is_empty


def test_what_is_not_good_takes_no_place_of_what_is() -> None:
    newer: tuple[Standing, ...] = ("failed", "lossy", "unproven")
    others = [good(s, n * timedelta(minutes=1), s) for n, s in enumerate(newer)]
    plan = plan_for(*others, good("a", 5 * DAY), policy=RetentionPolicy(last=1))
    assert plan.remove == ()
    assert "newest verified" in plan.reasons["a"]
    for standing in newer:
        assert plan.reasons[standing] == (f"last 1 ({standing})",)


def test_what_is_dated_after_now_neither_counts_nor_goes() -> None:
    plan = plan_for(good("a", -400 * DAY), good("b", DAY), policy=RetentionPolicy(last=1))
    assert plan.reasons["a"] == ("dated after now",)
    assert plan.reasons["b"] == ("newest verified", "last 1")


def test_a_clock_that_jumps_lets_nothing_expire() -> None:
    backups = [good(f"{n:02}", n * DAY) for n in range(20)]
    plan = plan_retention(backups, DEFAULT, now=NOW + 4_000 * DAY)
    assert plan.remove == ()


def test_pinned_ones_stay() -> None:
    plan = plan_for(good("a", DAY), good("b", 9 * DAY, pinned=True), policy=RetentionPolicy(last=1))
    assert plan.reasons["b"] == ("pinned",)


def test_nothing_goes_while_something_holds_it_or_nothing_is_verified() -> None:
    backups = [good(f"{n:02}", n * DAY) for n in range(9)]
    held = plan_retention(backups, RetentionPolicy(last=1), now=NOW, held="frozen")
    assert (held.remove, held.held) == ((), "frozen")
    unproven = [good(f"{n:02}", n * DAY, "unproven") for n in range(9)]
    plan = plan_for(*unproven, policy=RetentionPolicy(last=1))
    assert (plan.remove, plan.held) == ((), "no backup is verified")


backups_of_a_vault = st.lists(
    st.tuples(
        st.integers(-10, 900),
        st.sampled_from(["good", "unproven", "failed", "lossy", "future"]),
        st.booleans(),
    ),
    max_size=30,
)


@given(backups_of_a_vault, st.integers(0, 3), st.integers(0, 3), st.integers(0, 50))
@settings(max_examples=200, deadline=None)
def test_every_backup_stays_or_goes_and_the_newest_good_one_stays(
    found: list[tuple[int, Standing, bool]], last: int, daily: int, hours: int
) -> None:
    backups = [
        BackupFacts(str(n), n, NOW - timedelta(hours=age), standing, pinned=pinned)
        for n, (age, standing, pinned) in enumerate(found)
    ]
    policy = RetentionPolicy(last=last, daily=daily, within=timedelta(hours=hours))
    plan = plan_retention(backups, policy, now=NOW)
    assert sorted((*plan.keep, *plan.remove)) == sorted(b.name for b in backups)
    assert all(plan.reasons[b.name] for b in backups)
    assert plan == plan_retention(backups[::-1], policy, now=NOW)
    usable = [b for b in backups if b.standing == "good" and b.taken_at <= NOW]
    if usable:
        assert max(usable, key=lambda b: b.sequence).name in plan.keep
    else:
        assert plan.remove == ()
    assert not {b.name for b in backups if b.pinned or b.taken_at > NOW} & set(plan.remove)


def test_a_good_copy_exists_on_every_day_of_every_year() -> None:
    rotated = sum(len(live(seed).backups) < 100 for seed in range(YEARS))
    assert rotated > YEARS // 2  # or nothing was ever removed, and nothing shown
