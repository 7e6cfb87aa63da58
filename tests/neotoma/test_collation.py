"""The order of texts against what Node 20.20.2's localeCompare gave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.neotoma.collation import collation_key

# [...].sort((a, b) => a.localeCompare(b)) in Node 20.20.2, ICU root collation
ASCENDING = [
    *("_", "-", ",", ";", ":", "!", "?", ".", "(", ")", "[", "]", "{", "}", "@", "*", "/", "\\"),
    *("&", "#", "%", "`", "^", "+", "<", "=", ">", "|", "~", "$", "0", "9", "a", "A", "b"),
    *("obs 1", "obs_1", "obs-1", "obs1", "Obs1", "OBS1"),
]


def test_ascii_texts_stand_in_the_order_of_node() -> None:
    descending = ASCENDING[::-1]
    assert sorted(descending, key=collation_key) == ASCENDING


def test_no_two_of_them_tie() -> None:
    assert len({collation_key(text) for text in ASCENDING}) == len(ASCENDING)


@pytest.mark.parametrize(
    ("first", "second"),
    [("aB", "Ab"), ("ab", "aB"), ("aB", "abc"), ("A", "aa"), ("", "a"), ("a", "á"), ("á", "b")],
)
def test_case_and_accents_count_only_where_the_letters_tie(first: str, second: str) -> None:
    assert collation_key(first) < collation_key(second)


def test_control_characters_count_for_nothing() -> None:
    assert collation_key("a\x01b\x7f") == collation_key("ab")


@given(st.lists(st.text("0123456789abcdef-", max_size=40)))
def test_lower_case_hex_ids_stand_in_code_point_order(ids: list[str]) -> None:
    assert sorted(ids, key=collation_key) == sorted(ids)


@given(st.text(), st.text())
def test_the_order_of_any_two_texts_is_settled_by_the_texts_alone(a: str, b: str) -> None:
    assert (collation_key(a) < collation_key(b)) == (not collation_key(a) >= collation_key(b))
