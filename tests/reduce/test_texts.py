"""Which JSON texts DuckDB would spoil, and what they become."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.neotoma.json import parse_json, stringify
from neotoma_core.reduce.fields.engine import explode_objects
from neotoma_core.reduce.fields.texts import (
    canonical,
    holds_object,
    judge,
    map_texts,
    needs_javascript,
)
from tests.support.strategies import CONTAINERS, NOT_JSON, ONLY_EXACT, SCALARS


def odd(*texts: str | None) -> list[bool]:
    return (
        pl.select(needs_javascript(pl.lit(pl.Series(texts, dtype=pl.String)))).to_series().to_list()
    )


@pytest.mark.parametrize("value", [*NOT_JSON, *ONLY_EXACT])
def test_what_is_no_json_or_beyond_duckdb_is_odd_or_refused(value: str) -> None:
    text = f'{{"a":{value}}}'
    refused = explode_objects(pl.DataFrame({"row": [0], "text": [text]}))["shape"].item() is None
    assert refused or odd(text) == [True]


@settings(deadline=None)
@given(st.sampled_from((*SCALARS, *CONTAINERS)), st.sampled_from(("", " ", "\n\t")))
def test_a_value_that_is_not_odd_comes_out_canonical_but_for_its_keys(
    value: str, space: str
) -> None:
    text = f'{{"a":{space}{value}{space}}}'
    if odd(text) == [True]:
        return
    (written,) = explode_objects(pl.DataFrame({"row": [0], "text": [text]}))["values"].item()
    held = pl.select(holds_object(pl.lit(written))).item()
    assert held or written == stringify(parse_json(value))


def test_plain_texts_of_neotoma_are_not_odd() -> None:
    assert odd('{"a":"x, 1.0","n":12.5,"t":[1,true,null],"é":"q\\"\\n"}', "{}") == [False, False]


def test_null_and_what_is_no_object_is_odd() -> None:
    assert odd(None, "[1]", "null") == [True, True, True]
    assert odd("[1e999]", "[1.0]", '"\\u0000"') == [True, True, True]


@pytest.mark.parametrize(
    ("value", "holds"),
    [('{"a":1}', True), ('[{"a":1}]', True), ("[1]", False), ("{}", False), ('"{\\"a"', False)],
)
def test_a_value_holds_an_object_that_has_a_key(value: str, *, holds: bool) -> None:
    assert pl.select(holds_object(pl.lit(value))).item() == holds


def test_what_is_nested_too_deep_is_odd() -> None:
    assert odd(f'{{"a":{"[" * 500}{"]" * 500}}}') == [True]


def test_a_verdict_tells_the_canonical_text_or_why_there_is_none() -> None:
    verdicts = judge(['{"a": 1.0}', None, "[1]", "{", '{"a":1e999}', None])
    assert verdicts.rows() == [
        ('{"a": 1.0}', '{"a":1}', False, None),
        (None, None, False, "is NULL"),
        ("[1]", None, False, "is not a JSON object"),
        ("{", None, False, "is not JSON"),
        ('{"a":1e999}', '{"a":null}', True, None),
    ]


def test_canonical_keeps_the_last_of_equal_keys_and_puts_indices_first() -> None:
    assert canonical(pl.Series(['{"b":1,"2":0,"b":3}'])).to_list() == ['{"2":0,"b":3}']


def test_mapped_calls_once_per_distinct_text_and_keeps_nulls() -> None:
    calls: list[str] = []

    def upper(text: str) -> str:
        calls.append(text)
        return text.upper()

    assert map_texts(pl.Series(["a", None, "b", "a"]), upper).to_list() == ["A", None, "B", "A"]
    assert sorted(calls) == ["a", "b"]
