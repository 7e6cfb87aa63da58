"""Merge strategies: one fact of the format document, section 4.1, per test."""

import pytest

from neotoma_core.neotoma.json import JsonValue
from neotoma_core.neotoma.schemas import DEFAULT_SOURCE_ORDER, Converter, FieldRule
from neotoma_core.reduce.exact.failures import ReductionFails
from neotoma_core.reduce.exact.reading import strategy_of
from neotoma_core.reduce.exact.rule_sets import R22, R23, R26, RuleSet
from neotoma_core.reduce.exact.strategies import Picked, Stated, by_time_and_id, merge_array


def state(
    id: str,  # noqa: A002
    value: JsonValue,
    *,
    at: int | None = 0,
    priority: float | None = 100,
    specificity: float = 0,
    source: str | None = None,
    created: int | None = None,
) -> Stated:
    return Stated(id, at, id, priority, specificity, source, {"f": value}, created)


def pick(
    strategy: str,
    *having: Stated,
    tie_breaker: str = "observed_at",
    rules: RuleSet = R22,
    key: str = "",
) -> Picked:
    """Pick from observations given latest first."""
    by_id = tie_breaker == "source_priority"
    ties = "source_priority" if by_id else "observed_at"
    rule = FieldRule("f", "array", (), strategy, ties, key)  # type: ignore[arg-type]  # one of two
    return strategy_of(rule, rules)(rule, having, DEFAULT_SOURCE_ORDER)


def test_last_write_ignores_priority() -> None:
    later, correction = state("a", 1, priority=0), state("b", 2, priority=1000)
    assert pick("last_write", later, correction) == Picked(1, "a")


def test_highest_priority_goes_by_priority_then_source_then_time() -> None:
    low, high = state("a", 1, at=9), state("b", 2, at=1, priority=101)
    assert pick("highest_priority", low, high).value == 2
    human, sensor = state("a", 1, at=9, source="human"), state("b", 2, source="sensor")
    assert pick("highest_priority", human, sensor).value == 2
    assert pick("highest_priority", sensor, human).value == 2
    late, early = state("b", 1, at=9), state("a", 2, at=1)
    assert pick("highest_priority", late, early).value == 1
    assert pick("highest_priority", early, late).value == 1


def test_the_other_tie_breaker_of_highest_priority_is_the_id_and_not_the_time() -> None:
    late, early = state("b", 1, at=9), state("a", 2, at=1)
    assert pick("highest_priority", late, early, tie_breaker="source_priority").value == 2


def test_sources_that_are_unknown_or_missing_are_last_and_equal() -> None:
    unknown, missing = state("a", 1, at=9, source="dream"), state("b", 2, at=8)
    listed = state("c", 3, at=1, source="sync")
    assert pick("highest_priority", unknown, missing, listed).value == 3
    assert pick("highest_priority", unknown, missing).value == 1


def test_a_null_priority_ties_with_zero_and_no_further_question_is_asked() -> None:
    null, zero = state("a", 1, priority=None), state("b", 2, priority=0, source="sensor")
    assert pick("highest_priority", null, zero).value == 1
    assert pick("highest_priority", zero, null).value == 2


def test_a_null_priority_lies_between_minus_one_and_one() -> None:
    null, below, above = (
        state("a", 1, priority=None),
        state("b", 2, priority=-1),
        state("c", 3, priority=1),
    )
    assert pick("highest_priority", below, null).value == 1
    assert pick("highest_priority", null, above).value == 3


def test_null_priorities_among_themselves_go_by_source() -> None:
    human, sensor = (state(s, s, priority=None, source=s) for s in ("human", "sensor"))
    assert pick("highest_priority", human, sensor).value == "sensor"


def test_most_specific_goes_by_specificity_then_source_then_time() -> None:
    vague, exact = state("a", 1, priority=1000), state("b", 2, specificity=0.5)
    assert pick("most_specific", vague, exact).value == 2
    human, sensor = state("a", 1, at=9, source="human"), state("b", 2, source="sensor")
    assert pick("most_specific", human, sensor).value == 2
    assert pick("most_specific", state("b", 1, at=9), state("a", 2, at=1)).value == 1


def test_priority_counts_in_most_specific_only_as_the_tie_breaker() -> None:
    sensor, high = state("a", 1, source="sensor"), state("b", 2, priority=101)
    assert pick("most_specific", sensor, high).value == 1
    assert pick("most_specific", sensor, high, tie_breaker="source_priority").value == 2


def test_merge_array_unites_what_the_highest_priority_says_in_the_order_met() -> None:
    low = state("c", ["x"], priority=99)
    got = pick("merge_array", state("b", ["b", "a"]), state("a", ["a", "c"]), low)
    assert got == Picked(["b", "a", "c"], "b,a")


def test_scalars_are_equal_by_type_and_value_and_arrays_and_objects_never() -> None:
    value: JsonValue = [1, "1", True, 1, None, None, {"a": 1}, {"a": 1}, [], [], "1", True]
    assert pick("merge_array", state("a", value)).value == [
        *(1, "1", True, None, {"a": 1}, {"a": 1}, [], []),
    ]


def test_an_observation_that_says_null_adds_nothing() -> None:
    assert pick("merge_array", state("b", None), state("a", ["x"])) == Picked(["x"], "a")


def test_a_null_alone_at_the_top_leaves_an_empty_array_of_nobody() -> None:
    got = pick("merge_array", state("b", None, priority=1000), state("a", ["x"]))
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
    assert pick("merge_array", state("a", value)).value == items


def test_a_single_value_is_converted_before_it_is_added() -> None:
    rule = FieldRule("f", "number", (Converter("string", "number", "string_to_number"),))
    got = merge_array(rule, [state("b", "7 kg"), state("a", 7)], ())
    assert got == Picked([7], "b,a")


def test_of_null_and_zero_priorities_the_first_met_shuts_out_the_other() -> None:
    null, zero = state("a", ["n"], priority=None), state("b", ["z"], priority=0)
    assert pick("merge_array", null, zero) == Picked(["n"], "a")
    assert pick("merge_array", zero, null) == Picked(["z"], "b")
    assert pick("merge_array", state("c", ["m"], priority=-1), null).value == ["n"]


def test_with_an_unreadable_date_there_is_no_order_at_all() -> None:
    dated, undated = state("a", 1, at=5), state("b", 1, at=None)
    assert by_time_and_id(dated, undated) == by_time_and_id(undated, dated) == 0
    assert by_time_and_id(state("a", 1), state("b", 1)) < 0


def test_unreadable_dates_tie_among_equals_of_highest_priority() -> None:
    assert pick("highest_priority", state("b", 1, at=None), state("a", 2, at=9)).value == 1


def test_from_0_23_on_recency_settles_what_priority_and_source_leave_open() -> None:
    late, early = state("b", 1, at=9), state("a", 2, at=1)
    for tie_breaker in ("observed_at", "source_priority"):
        picked = pick("highest_priority", late, early, tie_breaker=tie_breaker, rules=R23)
        assert picked.value == 1
    old, new = state("a", 1, at=5, created=1), state("b", 2, at=5, created=2)
    assert pick("highest_priority", old, new).value == 1
    assert pick("highest_priority", old, new, rules=R23).value == 2
    one, other = state("b", 1, at=5, created=1), state("a", 2, at=5, created=1)
    assert pick("highest_priority", one, other, rules=R23).value == 2


def test_from_0_23_on_a_time_that_is_none_is_last() -> None:
    none, some = state("a", 1, at=None), state("b", 2, at=-5)
    assert pick("highest_priority", none, some).value == 1
    assert pick("highest_priority", none, some, rules=R23).value == 2
    unstored, stored = state("a", 1, at=None), state("b", 2, at=None, created=-5)
    assert pick("highest_priority", unstored, stored, rules=R23).value == 2
    first, second = state("a", 1, at=None), state("b", 2, at=None)
    assert pick("highest_priority", second, first, rules=R23).value == 1


def test_a_null_priority_still_ties_with_zero_and_nothing_else_is_asked() -> None:
    null, zero = state("a", 1, at=1, priority=None), state("b", 2, at=9, priority=0)
    assert pick("highest_priority", null, zero, rules=R23).value == 1


@pytest.mark.parametrize(
    ("strategy", "rules"),
    [("merge_somehow", R22), ("merge_somehow", R26), ("merge_array_by_key", R23), ("7", R22)],
)
def test_on_a_strategy_that_the_rules_do_not_know_the_reduction_fails(
    strategy: str, rules: RuleSet
) -> None:
    with pytest.raises(ReductionFails, match=f"of the field f: {strategy}"):
        pick(strategy, state("a", [{"id": 1}]), rules=rules, key="id")
