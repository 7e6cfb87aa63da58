import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.neotoma.json import JsonValue, stringify
from neotoma_core.unfinished import payloads
from neotoma_core.unfinished.payloads import Extent, count_stored, items_of, proves_payload
from tests.support.payloads import fields_of, note, write

SCALARS: st.SearchStrategy[JsonValue] = st.sampled_from(
    [None, True, False, 0, 1, 2, 2.5, "", "a", "b", "1"]
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(st.sampled_from("xy"), SCALARS)
)
FIELDS: st.SearchStrategy[dict[str, JsonValue]] = st.dictionaries(
    st.sampled_from(["title", "name", "n", "z"]), VALUES, max_size=3
)


def fits(item: dict[str, JsonValue], fields: dict[str, JsonValue]) -> bool:
    """The rule, word by word: equal on all shared keys whose values are of one type."""
    shared = item.keys() & fields.keys()
    alike = [key for key in shared if type(item[key]) is type(fields[key])]
    return (bool(shared) or item == fields) and all(item[key] == fields[key] for key in alike)


@given(st.lists(FIELDS, max_size=6), st.lists(FIELDS, max_size=6))
def test_an_item_is_stored_where_an_observation_agrees_with_it(
    items: list[dict[str, JsonValue]], observations: list[dict[str, JsonValue]]
) -> None:
    expected = sum(any(fits(item, fields) for fields in observations) for item in items)
    assert count_stored(items, observations) == expected


def test_two_items_may_be_one_observation() -> None:
    items = [note("a"), note("a")]
    assert count_stored(items, [{"title": "a"}]) == 2


def test_what_a_store_drops_and_converts_makes_no_difference() -> None:
    stated: list[dict[str, JsonValue]] = [{"title": "a", "due": "2026-02-01T00:00:00Z"}]
    assert count_stored([note("a", due=1769904000000, odd="dropped")], stated) == 1


def test_the_type_of_an_item_is_no_field_of_it() -> None:
    stated: list[dict[str, JsonValue]] = [{"type": "note", "entity_type": "note"}]
    assert count_stored([{"entity_type": "note", "type": "note", "title": "a"}], stated) == 0


def test_shapes_that_are_too_many_to_compare_are_not_compared() -> None:
    many: list[dict[str, JsonValue]] = [{f"k{n}": 1, "title": "a"} for n in range(1_001)]
    assert count_stored(many, many) is None
    assert count_stored(many[:1_000], many[:1_000]) == 1_000


def test_a_large_payload_takes_a_look_at_each_item_and_not_at_each_pair() -> None:
    items = [note(f"t{n}") for n in range(50_000)]
    half: list[dict[str, JsonValue]] = [{"title": f"t{n}"} for n in range(25_000)]
    assert count_stored(items, half) == 25_000


@pytest.mark.parametrize("indented", [False, True])
def test_observations_prove_the_payload_they_spell(*, indented: bool) -> None:
    items = [note("é", tags=["x", {}], n=1.5), note("b", none=None)]
    digest = hashlib.sha256(write(items, indented=indented)).hexdigest()
    stated = [("note", stringify(fields_of(item))) for item in items]
    assert proves_payload(digest, stated)
    assert not proves_payload(digest, stated[:1])
    assert not proves_payload(digest, stated[::-1])


def test_no_observation_proves_nothing_not_even_an_empty_payload() -> None:
    assert not proves_payload(hashlib.sha256(b"[]").hexdigest(), [])


def test_halves_of_characters_are_proven_compact_only() -> None:
    stated = [("note", '{"title":"\\ud83d"}')]
    text = b'[{"entity_type":"note","title":"\\ud83d"}]'
    assert proves_payload(hashlib.sha256(text).hexdigest(), stated)
    assert not proves_payload(hashlib.sha256(b"other").hexdigest(), stated)


def test_an_item_without_fields_is_proven_by_an_observation_without_any() -> None:
    digest = hashlib.sha256(b'[{"entity_type":"a"},{"entity_type":"b"}]').hexdigest()
    assert proves_payload(digest, [("a", "{}"), ("b", "{}")])
    assert count_stored([{"entity_type": "a"}], [{}]) == 1
    assert count_stored([{"entity_type": "a"}], [{"title": "a"}]) == 0
    assert count_stored([note("a")], [{}]) == 0


@pytest.mark.parametrize("fields", ["", "no json", "[1]", "7", "\ud83d"])
def test_fields_that_cannot_be_read_prove_nothing(fields: str) -> None:
    assert not proves_payload(hashlib.sha256(b"[]").hexdigest(), [("a", fields)])


def test_a_payload_is_an_array_of_objects_or_one_object() -> None:
    assert items_of([{"a": 1}, {}]) == [{"a": 1}, {}]
    assert items_of({"a": 1}) == [{"a": 1}]
    assert items_of([]) == []
    nothing: list[JsonValue] = [None, 1, "a", [1], [{"a": 1}, None]]
    assert [items_of(content) for content in nothing] == [None] * 5


def test_of_an_empty_payload_nothing_is_missing() -> None:
    assert Extent(0, 0).is_whole
    assert not Extent(0, 1).is_whole


def test_only_stores_make_payloads() -> None:
    assert payloads.METHODS == ("api_store", "mcp_store")
