"""merge_array_by_key: one fact of the format delta, A3, per test."""

import pytest

from neotoma_core.neotoma.json import JsonValue, stringify
from neotoma_core.neotoma.schemas import FieldRule
from neotoma_core.reduce.exact.failures import ReductionFails
from neotoma_core.reduce.exact.keyed import merge_array_by_key
from neotoma_core.reduce.exact.strategies import Picked, Stated


def state(
    id: str,  # noqa: A002
    value: JsonValue,
    *,
    at: int | None = 0,
    priority: float | None = 100,
) -> Stated:
    return Stated(id, at, id, priority, 0, None, {"f": value})


def pick(*having: Stated, key: str = "id") -> Picked:
    rule = FieldRule("f", "array", (), "merge_array_by_key", key_field=key)
    return merge_array_by_key(rule, having, ())


def text(*having: Stated) -> str:
    return stringify(pick(*having).value)


def test_without_a_key_field_the_reduction_fails() -> None:
    with pytest.raises(ReductionFails, match="the field f names no key"):
        pick(state("a", []), key="")


def test_the_latest_of_a_key_stays_whatever_the_order_in_which_they_are_met() -> None:
    late = state("b", [{"id": 1, "v": "new"}], at=9)
    early = state("a", [{"id": 1, "v": "old"}, {"id": 2}], at=1)
    assert text(late, early) == '[{"id":2},{"id":1,"v":"new"}]'
    assert text(early, late) == '[{"id":2},{"id":1,"v":"new"}]'
    assert pick(late, early).provenance == "a,b"


def test_at_one_instant_the_lower_id_stays_and_in_one_observation_the_first_item() -> None:
    one, other = state("b", [{"id": 1, "v": "b"}]), state("a", [{"id": 1, "v": "a"}])
    assert text(one, other) == '[{"id":1,"v":"a"}]'
    assert text(other, one) == '[{"id":1,"v":"a"}]'
    assert text(state("a", [{"id": 1, "v": 1}, {"id": 1, "v": 2}])) == '[{"id":1,"v":1}]'


def test_keys_of_different_types_are_different_and_equal_numbers_are_one() -> None:
    items: list[JsonValue] = [{"id": 1}, {"id": "1"}, {"id": True}, {"id": 1.0}, {"id": -0.0}]
    assert text(state("a", [*items, {"id": 0, "v": 1}])) == stringify([*items[:3], {"id": -0.0}])


@pytest.mark.parametrize(
    "key", [None, {}, [], 1e21, float(2**53), -float(2**53), float("inf"), {"a": 1}]
)
def test_an_item_without_a_usable_key_stays_once(key: JsonValue) -> None:
    one: JsonValue = {"id": key, "v": 1}
    same: JsonValue = {"v": 1, "id": key}
    assert pick(state("a", [one, same, "x", "x", None])).value == [one, "x", None]


def test_numbers_up_to_what_javascript_has_exactly_are_keys() -> None:
    largest = 2**53 - 1
    got = pick(state("a", [{"id": largest, "v": 1}, {"id": largest, "v": 2}]))
    assert got.value == [{"id": largest, "v": 1}]


def test_unkeyed_items_stay_as_they_were_met_first_and_come_after_keyed_ones() -> None:
    late, early = state("b", ["x", {"id": 1}], at=9), state("a", ["x", "y"], at=1)
    assert text(late, early) == '["y",{"id":1},"x"]'


def test_times_that_are_none_come_first_in_the_order_met() -> None:
    items = [state(i, [{"id": i}], at=at) for i, at in (("c", None), ("b", 5), ("a", None))]
    assert text(*items) == '[{"id":"c"},{"id":"a"},{"id":"b"}]'


def test_only_the_highest_priority_contributes_and_a_null_adds_nothing() -> None:
    high, low = state("a", [{"id": 1}], priority=100), state("b", [{"id": 2}], priority=99)
    assert pick(high, low, state("c", None)) == Picked([{"id": 1}], "a")
    assert pick(state("c", None), state("d", [])) == Picked([], "")


def test_a_text_that_holds_an_array_counts_as_one_and_anything_else_as_one_item() -> None:
    assert text(state("a", '[{"id":1}]'), state("b", {"id": 2})) == '[{"id":1},{"id":2}]'


def test_contributors_are_in_the_order_of_their_code_units() -> None:
    got = pick(state("\ufe10", [1]), state("\U0001f600", [2]), state("Z", [3]), state("a", [4]))
    assert got.provenance == "Z,a,\U0001f600,\ufe10"


def test_more_than_ten_thousand_items_fail_where_they_count() -> None:
    many: JsonValue = list(range(10_001))
    most: JsonValue = list(range(10_000))
    with pytest.raises(ReductionFails, match="more than 10,000 items"):
        pick(state("a", many))
    assert pick(state("a", most)).value == most
    assert pick(state("a", [1]), state("b", many, priority=99)).value == [1]
