"""File names for types that may be called anything."""

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.export.file_names import file_stem

TYPES = st.text(max_size=40) | st.sampled_from(
    ["", ".", "..", "../../etc/passwd", "a/b", "con", "CON", "com1", "contact", "Contact", "a\x00b"]
)


@settings(deadline=None)
@given(TYPES)
def test_a_name_is_safe_and_says_its_type(entity_type: str) -> None:
    stem = file_stem(entity_type)
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-%~")
    assert 0 < len(stem) <= 120
    whole = "" if stem == "%" else stem
    assert "~" in stem or unquote(whole, errors="surrogatepass") == entity_type


@settings(deadline=None)
@given(TYPES, TYPES)
def test_no_two_types_share_a_name_also_where_case_does_not_count(one: str, other: str) -> None:
    assert (file_stem(one).lower() == file_stem(other).lower()) == (one == other)


@pytest.mark.parametrize(
    ("entity_type", "stem"),
    [
        ("contact", "contact"),
        ("Contact", "%43ontact"),
        ("", "%"),
        ("con", "%63on"),
        ("..", "%2e%2e"),
    ],
)
def test_names_are_as_documented(entity_type: str, stem: str) -> None:
    assert file_stem(entity_type) == stem


def test_long_types_are_told_apart_by_their_end() -> None:
    assert file_stem("x" * 300) != file_stem("x" * 301)
    assert len(file_stem("x" * 300)) < 120
