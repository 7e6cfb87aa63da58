"""What a date text is made of, as V8's date reader sees it."""

import pytest

from neotoma_core.neotoma.date_parts import DateParts, Refused, Token, milliseconds, tokens_of


def test_a_text_falls_into_numbers_symbols_words_and_blanks() -> None:
    assert [(t.kind, t.text) for t in tokens_of("1 Feb,-2")] == [
        ("number", "1"),
        ("space", " "),
        ("word", "Feb"),
        ("other", ","),
        ("symbol", "-"),
        ("number", "2"),
    ]


def test_brackets_and_what_they_hold_are_one_remark() -> None:
    assert [t.kind for t in tokens_of("1(a(b)c)2")] == ["number", "other", "number"]


def test_an_open_bracket_reaches_to_the_end() -> None:
    assert [t.kind for t in tokens_of("1(a(b)2")] == ["number", "other"]


def test_a_text_ends_at_its_first_nul() -> None:
    assert [t.text for t in tokens_of("1\x002")] == ["1"]


@pytest.mark.parametrize(
    ("digits", "expected"),
    [("5", 500), ("05", 50), ("123", 123), ("1239", 123), ("0123456789", 123)],
)
def test_a_fraction_counts_to_the_millisecond(digits: str, expected: int) -> None:
    assert milliseconds(Token("number", digits)) == expected


def test_nine_significant_digits_of_a_number_count() -> None:
    assert Token("number", "0012345678901").number == 123456789


def test_a_day_without_numbers_is_refused() -> None:
    with pytest.raises(Refused):
        DateParts().calendar_day()
