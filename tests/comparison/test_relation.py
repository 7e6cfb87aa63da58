"""What one log is to another: a table of situations, healthy ones and strangers."""

import pytest

from neotoma_core.comparison.identity import (
    SAMPLE,
    Log,
    Place,
    Relation,
    Sample,
    Shared,
    knows_nothing_of,
    relation,
)

DAY = 86_400_000
NOTHING = Shared(0, 0)


def log(observations: int, first_day: int = 0, last_day: int = 30) -> Log:
    return Log(observations, first_day * DAY, last_day * DAY)


OLD = log(6_174)

SITUATIONS: dict[str, tuple[Log, Log, Shared, Place, Relation]] = {
    "a copy from before": (OLD, log(1_762, 0, 11), Shared(1, 0), "elsewhere", "same"),
    "little in common after months": (log(900, 0, 300), OLD, Shared(1, 0), "elsewhere", "same"),
    "begun anew and told most of it again": (log(84, 31, 31), OLD, Shared(0, 62), "alike", "same"),
    "another one, told some of the same": (log(40), OLD, Shared(0, 19), "elsewhere", "other"),
    "another one, told half of the same": (log(40), OLD, Shared(0, 20), "elsewhere", "same"),
    "another one of the same days": (log(40, 6, 6), OLD, NOTHING, "elsewhere", "other"),
    "the same days, the same name": (log(40, 6, 6), OLD, NOTHING, "alike", "other"),
    "the same days, where the backup was taken": (log(40), OLD, NOTHING, "recorded", "other"),
    "empty": (Log(0), OLD, NOTHING, "elsewhere", "unknown"),
    "offered an empty one": (OLD, Log(0), NOTHING, "elsewhere", "unknown"),
    "a row or two": (log(2), OLD, NOTHING, "elsewhere", "unknown"),
    "three rows of the same days": (log(3), OLD, NOTHING, "elsewhere", "other"),
    "after a reset, a few new rows": (log(20, 31, 40), OLD, NOTHING, "elsewhere", "begun anew"),
    "begun later, more than a few": (log(21, 31, 40), OLD, NOTHING, "elsewhere", "other"),
    "begun later, the same name": (log(617, 31, 40), OLD, NOTHING, "alike", "begun anew"),
    "begun later, one told again": (log(617, 31, 40), OLD, Shared(0, 1), "elsewhere", "begun anew"),
    "begun later, the same name, grown": (log(618, 31, 40), OLD, NOTHING, "alike", "other"),
    "begun later in the same place": (log(9_000, 31), OLD, NOTHING, "recorded", "begun anew"),
    "begun in the same instant": (log(5, 30, 40), OLD, NOTHING, "recorded", "other"),
    "when they began is not known": (Log(5), OLD, NOTHING, "recorded", "other"),
    "offered what came after its reset": (OLD, log(20, 31, 40), NOTHING, "elsewhere", "begun anew"),
    "offered a younger one": (OLD, log(5_000, 31, 90), NOTHING, "elsewhere", "other"),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_a_held_log_is_to_an_offered_one(situation: str) -> None:
    held, offered, shared, place, expected = SITUATIONS[situation]
    assert relation(held, offered, shared, place) == expected
    assert relation(offered, held, shared, place) == expected


def ids(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{n:06}" for n in range(first, last))


@pytest.mark.parametrize(
    ("known", "found", "strange"),
    [
        (Sample(ids(0, 40), 40), Sample(ids(40, 80), 40), True),
        (Sample(ids(0, 40), 40), Sample(ids(39, 80), 41), False),
        (Sample(ids(0, SAMPLE), 6_000), Sample(ids(5_000, 5_040), 40), False),  # beyond its reach
        (Sample(tuple(f"{n:06}x" for n in range(SAMPLE)), 6_000), Sample(ids(0, 40), 40), True),
        (Sample(tuple(f"{n:06}x" for n in range(SAMPLE)), 6_000), Sample(ids(0, 19), 19), False),
        (
            Sample(ids(0, 40), 40),
            Sample(ids(1_000, 1_000 + SAMPLE), 6_000),
            False,
        ),  # a wipe left it
        (Sample(ids(0, 2), 2), Sample(ids(2, 5), 3), False),
        (Sample((), 0), Sample(ids(0, 40), 40), False),
    ],
)
def test_a_sample_knows_nothing_of_another_log_only_where_it_would(
    known: Sample,
    found: Sample,
    strange: bool,  # noqa: FBT001 - of a table
) -> None:
    assert knows_nothing_of(known, found) is strange
