"""Merge strategies: one fact of the format document, section 4.1, per test."""

import pytest

from neotoma_core.canonical import JsonValue
from neotoma_core.policies import DEFAULT_SOURCE_ORDER, Converter, FieldRule, MergeStrategy
from neotoma_core.reduce.exact_strategies import STRATEGIES, Picked, Stated, by_time_and_id


def stated(
    id: str,  # noqa: A002
    value: JsonValue,
    *,
    at: int | None = 0,
    priority: float | None = 100,
    specificity: float = 0,
    source: str | None = None,
) -> Stated:
    return Stated(id, at, id, priority, specificity, source, {"f": value})


def pick(strategy: MergeStrategy, *having: Stated, tie_breaker: str = "observed_at") -> Picked:
    """Pick from observations given latest first."""
    by_id = tie_breaker == "source_priority"
    rule = FieldRule("f", "array", (), strategy, "source_priority" if by_id else "observed_at")
    return STRATEGIES[strategy](rule, having, DEFAULT_SOURCE_ORDER)


def test_last_write_ignores_priority() -> None:
    later, correction = stated("a", 1, priority=0), stated("b", 2, priority=1000)
    assert pick("last_write", later, correction) == Picked(1, "a")


def test_highest_priority_goes_by_priority_then_source_then_time() -> None:
    low, high = stated("a", 1, at=9), stated("b", 2, at=1, priority=101)
    assert pick("highest_priority", low, high).value == 2
    human, sensor = stated("a", 1, at=9, source="human"), stated("b", 2, source="sensor")
    assert pick("highest_priority", human, sensor).value == 2
    assert pick("highest_priority", sensor, human).value == 2
    late, early = stated("b", 1, at=9), stated("a", 2, at=1)
    assert pick("highest_priority", late, early).value == 1
    assert pick("highest_priority", early, late).value == 1


def test_the_other_tie_breaker_of_highest_priority_is_the_id_and_not_the_time() -> None:
    late, early = stated("b", 1, at=9), stated("a", 2, at=1)
    assert pick("highest_priority", late, early, tie_breaker="source_priority").value == 2


def test_sources_that_are_unknown_or_missing_are_last_and_equal() -> None:
    unknown, missing = stated("a", 1, at=9, source="dream"), stated("b", 2, at=8)
    listed = stated("c", 3, at=1, source="sync")
    assert pick("highest_priority", unknown, missing, listed).value == 3
    assert pick("highest_priority", unknown, missing).value == 1


def test_a_null_priority_ties_with_zero_and_no_further_question_is_asked() -> None:
    null, zero = stated("a", 1, priority=None), stated("b", 2, priority=0, source="sensor")
    assert pick("highest_priority", null, zero).value == 1
    assert pick("highest_priority", zero, null).value == 2


def test_a_null_priority_lies_between_minus_one_and_one() -> None:
    null, below, above = (
        stated("a", 1, priority=None),
        stated("b", 2, priority=-1),
        stated("c", 3, priority=1),
    )
    assert pick("highest_priority", below, null).value == 1
    assert pick("highest_priority", null, above).value == 3


def test_null_priorities_among_themselves_go_by_source() -> None:
    human, sensor = (stated(s, s, priority=None, source=s) for s in ("human", "sensor"))
    assert pick("highest_priority", human, sensor).value == "sensor"


def test_most_specific_goes_by_specificity_then_source_then_time() -> None:
    vague, exact = stated("a", 1, priority=1000), stated("b", 2, specificity=0.5)
    assert pick("most_specific", vague, exact).value == 2
    human, sensor = stated("a", 1, at=9, source="human"), stated("b", 2, source="sensor")
    assert pick("most_specific", human, sensor).value == 2
    assert pick("most_specific", stated("b", 1, at=9), stated("a", 2, at=1)).value == 1


def test_priority_counts_in_most_specific_only_as_the_tie_breaker() -> None:
    sensor, high = stated("a", 1, source="sensor"), stated("b", 2, priority=101)
    assert pick("most_specific", sensor, high).value == 1
    assert pick("most_specific", sensor, high, tie_breaker="source_priority").value == 2


def test_merge_array_unites_what_the_highest_priority_says_in_the_order_met() -> None:
    low = stated("c", ["x"], priority=99)
    got = pick("merge_array", stated("b", ["b", "a"]), stated("a", ["a", "c"]), low)
    assert got == Picked(["b", "a", "c"], "b,a")


def test_scalars_are_equal_by_type_and_value_and_arrays_and_objects_never() -> None:
    value: JsonValue = [1, "1", True, 1, None, None, {"a": 1}, {"a": 1}, [], [], "1", True]
    assert pick("merge_array", stated("a", value)).value == [
        *(1, "1", True, None, {"a": 1}, {"a": 1}, [], []),
    ]


def test_an_observation_that_says_null_adds_nothing() -> None:
    assert pick("merge_array", stated("b", None), stated("a", ["x"])) == Picked(["x"], "a")


def test_a_null_alone_at_the_top_leaves_an_empty_array_of_nobody() -> None:
    got = pick("merge_array", stated("b", None, priority=1000), stated("a", ["x"]))
    assert got == Picked([], "")


@pytest.mark.parametrize(
    ("value", "items"),
    [
        (' ["a", "b"] ', ["a", "b"]),
        ("[]", []),
        ("[broken]", ["[broken]"]),
        ("[1", ["[1"]),
        ("a]", ["a]"]),
        ("plain", ["plain"]),
        (7, [7]),
    ],
)
def test_a_string_that_holds_an_array_counts_as_the_array(
    value: JsonValue, items: list[JsonValue]
) -> None:
    assert pick("merge_array", stated("a", value)).value == items


def test_a_single_value_is_converted_before_it_is_added() -> None:
    rule = FieldRule("f", "number", (Converter("string", "number", "string_to_number"),))
    got = STRATEGIES["merge_array"](rule, [stated("b", "7 kg"), stated("a", 7)], ())
    assert got == Picked([7], "b,a")


def test_of_null_and_zero_priorities_the_first_met_shuts_out_the_other() -> None:
    null, zero = stated("a", ["n"], priority=None), stated("b", ["z"], priority=0)
    assert pick("merge_array", null, zero) == Picked(["n"], "a")
    assert pick("merge_array", zero, null) == Picked(["z"], "b")
    assert pick("merge_array", stated("c", ["m"], priority=-1), null).value == ["n"]


def test_with_an_unreadable_date_there_is_no_order_at_all() -> None:
    dated, undated = stated("a", 1, at=5), stated("b", 1, at=None)
    assert by_time_and_id(dated, undated) == by_time_and_id(undated, dated) == 0
    assert by_time_and_id(stated("a", 1), stated("b", 1)) < 0


def test_unreadable_dates_tie_among_equals_of_highest_priority() -> None:
    assert pick("highest_priority", stated("b", 1, at=None), stated("a", 2, at=9)).value == 1
