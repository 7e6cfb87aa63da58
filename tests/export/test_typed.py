"""Values of the type a schema declares; what does not fit stays as text."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.export.typed import Kind, decode_strings, kind_of, rest_as_texts, type_values
from neotoma_core.neotoma.json import JsonValue, stringify


def texts(*values: str | None) -> pl.Series:
    return pl.Series(values, dtype=pl.String)


@pytest.mark.parametrize(
    ("declared", "values", "kind"),
    [
        ("string", ["1"], "string"),
        ("number", ['"1"'], "float"),
        ("date", ['"2026-03-01"', None], "date"),
        ("date", ['"2026-03-01"', '"2026-03-01T10:00:00Z"'], "timestamp"),
        ("array", ["1"], "list"),
        ("object", ["{}"], "json"),
        (None, ['"a"', '"b"'], "string"),
        (None, ["1", "-2.5"], "float"),
        (None, ["true"], "boolean"),
        (None, ['["a"]'], "list"),
        (None, ["1", '"a"'], "json"),
        (None, [None], "string"),
        ("unheard of", ["true"], "boolean"),
    ],
)
def test_a_column_has_the_type_declared_or_that_of_all_its_values(
    declared: str | None, values: list[str | None], kind: Kind
) -> None:
    assert kind_of(declared, texts(*values)) == kind


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", '"a\\"\\u00e9"', 'a"é'),
        ("float", "12.5", 12.5),
        ("float", "9007199254740993", 9007199254740992.0),
        ("boolean", "false", False),
        ("date", '"2026-02-28"', date(2026, 2, 28)),
        ("timestamp", '"2026-02-28T10:00:00+02:00"', datetime(2026, 2, 28, 8, tzinfo=UTC)),
        ("list", '["a",1,null,{"b":2}]', ["a", "1", None, '{"b":2}']),
        ("json", '{"a":1}', '{"a":1}'),
    ],
)
def test_a_value_is_read_as_its_type(kind: Kind, text: str, value: object) -> None:
    column = type_values(texts(text, None, "null"), kind)
    assert column.values.to_list() == [value, None, None]
    assert column.fits.all()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("string", "12"),
        ("string", '"\\ud800"'),
        ("float", '"12"'),
        ("boolean", '"true"'),
        ("date", '"2026-02-30"'),
        ("date", '"soon"'),
        ("timestamp", '"soon"'),
        ("list", '"a"'),
    ],
)
def test_a_value_of_another_type_is_kept_as_text(kind: Kind, text: str) -> None:
    column = type_values(texts(text, None), kind)
    assert column.values.to_list() == [None, None]
    assert column.fits.to_list() == [False, True]
    kept = rest_as_texts({"f": (texts(text, None), column.fits)}, 2)
    assert kept.to_list() == [stringify({"f": text}), None]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=3,
)
KINDS = ("string", "float", "boolean", "date", "timestamp", "list", "json")


@settings(max_examples=60, deadline=None)
@given(st.lists(JSON, min_size=1, max_size=5), st.sampled_from(KINDS))
def test_no_value_is_nulled_unsaid(values: list[JsonValue], kind: Kind) -> None:
    column = type_values(texts(*map(stringify, values)), kind)
    for value, made, fits in zip(values, column.values.to_list(), column.fits, strict=True):
        assert (made is not None) or value is None or not fits


def test_only_strings_are_decoded() -> None:
    assert decode_strings(texts('"a"', "1", None, '"\\n"')).to_list() == ["a", None, None, "\n"]
