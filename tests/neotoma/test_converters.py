"""Converters against what Node 20.20.2 gave for the same operations."""

import pytest

from neotoma_core.neotoma.converters import convert, matches_type
from neotoma_core.neotoma.json import JsonValue, number_text, parse_json, stringify
from neotoma_core.neotoma.schemas import Converter, FieldRule

# (text, String(parseFloat(text)) in Node, or None for NaN)
PARSED_FLOATS = [
    ("12.5abc", "12.5"),
    ("0x1f", "0"),
    ("1,234", "1"),
    ("1e3", "1000"),
    ("Infinity", "Infinity"),
    ("-Infinityx", "-Infinity"),
    ("\u00a0 7", "7"),
    ("1e", "1"),
    ("1e+", "1"),
    ("1.e2", "100"),
    ("-.5", "-0.5"),
    ("5.", "5"),
    ("+3", "3"),
    ("1e400", "Infinity"),
    ("0.1e-7", "1e-8"),
    ("1_000", "1"),
    ("12345678901234567890", "12345678901234567000"),
    ("++3", None),
    ("- 1", None),
    ("", None),
    ("abc", None),
    ("infinity", None),
    ("٣", None),
]

# (converter, number, new Date(...).toISOString() in Node, or None where out of range)
INSTANTS: list[tuple[str, float, str | None]] = [
    ("timestamp_ms_to_iso", 0, "1970-01-01T00:00:00.000Z"),
    ("timestamp_ms_to_iso", 1.9, "1970-01-01T00:00:00.001Z"),
    ("timestamp_ms_to_iso", 1700000000123.9, "2023-11-14T22:13:20.123Z"),
    ("timestamp_ms_to_iso", 4102444800000, "2100-01-01T00:00:00.000Z"),
    ("timestamp_ms_to_iso", 4102444800000.5, None),
    ("timestamp_ms_to_iso", -1, None),
    ("timestamp_s_to_iso", 0.001, "1970-01-01T00:00:00.001Z"),
    ("timestamp_s_to_iso", 1.0005, "1970-01-01T00:00:01.000Z"),
    ("timestamp_s_to_iso", 1700000000.1239, "2023-11-14T22:13:20.123Z"),
    ("timestamp_s_to_iso", 4102444801, None),
    ("timestamp_nanos_to_iso", 1700000000123456789, "2023-11-14T22:13:20.123Z"),
    ("timestamp_nanos_to_iso", 999999, "1970-01-01T00:00:00.000Z"),
    ("timestamp_nanos_to_iso", -999999, "1970-01-01T00:00:00.000Z"),
    ("timestamp_nanos_to_iso", -1000000, None),
    ("timestamp_nanos_to_iso", 1.5, None),
    ("timestamp_nanos_to_iso", float("inf"), None),
]


def rule(target: str, *converters: tuple[str, str]) -> FieldRule:
    declared = tuple(Converter(source, target, function) for source, function in converters)
    return FieldRule("f", target, declared)


@pytest.mark.parametrize(("text", "expected"), PARSED_FLOATS)
def test_a_string_becomes_the_number_it_begins_with(text: str, expected: str | None) -> None:
    got = convert(text, rule("number", ("string", "string_to_number")))
    if expected is None:
        assert got == text
    else:
        assert isinstance(got, int | float)
        assert number_text(got) == expected


@pytest.mark.parametrize(("function", "number", "expected"), INSTANTS)
def test_a_number_becomes_the_instant_it_counts(
    function: str, number: float, expected: str | None
) -> None:
    as_read = number if number == float("inf") else parse_json(stringify(number))
    got = convert(as_read, rule("date", ("number", function)))
    assert got == (as_read if expected is None else expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(" TRUE\n", True), ("1", True), ("Yes", True), ("false", False), ("0", False), ("NO", False)],
)
def test_words_for_truth_become_booleans(text: str, expected: bool) -> None:  # noqa: FBT001
    assert convert(text, rule("boolean", ("string", "string_to_boolean"))) is expected


@pytest.mark.parametrize(
    ("value", "expected"), [(1e21, "1e+21"), (1e-7, "1e-7"), (-0.0, "0"), (5, "5")]
)
def test_a_number_becomes_the_text_javascript_prints(value: float, expected: str) -> None:
    assert convert(value, rule("string", ("number", "number_to_string"))) == expected


def test_a_boolean_becomes_its_name() -> None:
    named = rule("string", ("boolean", "boolean_to_string"))
    assert [convert(value, named) for value in (True, False)] == ["true", "false"]


@pytest.mark.parametrize("value", ["text", "not a date"])
def test_any_string_is_a_date_and_stays(value: str) -> None:
    assert convert(value, rule("date", ("string", "string_to_number"))) == value


def test_converters_are_tried_in_order_and_unknown_ones_are_passed_over() -> None:
    declared = rule("number", ("string", "no_such_function"), ("string", "string_to_number"))
    assert convert("7", declared) == 7


@pytest.mark.parametrize(
    ("value", "source", "function"),
    [
        ("7", "number", "string_to_number"),
        ("7", "string", "timestamp_ms_to_iso"),
        (7, "number", "string_to_number"),
        (True, "boolean", "number_to_string"),
        ([7], "array", "number_to_string"),
        (None, "null", "number_to_string"),
        ("x", "string", "string_to_boolean"),
    ],
)
def test_a_value_no_converter_fits_is_kept_as_it_is(
    value: JsonValue, source: str, function: str
) -> None:
    assert convert(value, rule("object", (source, function))) == value


def test_a_conversion_into_the_wrong_type_does_not_count() -> None:
    assert convert("7", rule("boolean", ("string", "string_to_number"))) == "7"


@pytest.mark.parametrize(
    ("value", "of_type"),
    [
        ("x", {"string", "date"}),
        (1, {"number"}),
        (float("inf"), {"number"}),
        (True, {"boolean"}),
        ([], {"array"}),
        ({}, {"object"}),
        (None, set[str]()),
    ],
)
def test_a_value_is_of_exactly_these_types(value: JsonValue, of_type: set[str]) -> None:
    types = ("string", "date", "number", "boolean", "array", "object", "null", "")
    assert {t for t in types if matches_type(value, t)} == of_type
