"""What DuckDB does to JSON: the facts that the reducer relies on, and those it works around."""

import polars as pl
import pytest

from neotoma_core.reduce.fields.engine import explode_arrays, explode_objects, keys_of


def explode(text: str) -> tuple[list[str] | None, list[str] | None]:
    frame = explode_objects(pl.DataFrame({"row": [0], "text": [text]}))
    keys, values = frame.select(keys_of(pl.col("shape")), "values").row(0)
    return keys, values


def test_keys_and_values_come_in_the_order_written() -> None:
    assert explode('{"b":[1, "x"],"10":null,"a":{"k": 1}}') == (
        ["b", "10", "a"],
        ['[1,"x"]', "null", '{"k":1}'],
    )


def test_rows_come_in_the_order_given() -> None:
    texts = pl.DataFrame({"row": range(5000), "text": [f'{{"k":{i}}}' for i in range(5000)]})
    assert explode_objects(texts)["row"].to_list() == list(range(5000))


@pytest.mark.parametrize("text", ["", "not json", '{"a":01}', '{"a":"\\ud800"}', "\ufeff{}"])
def test_what_duckdb_cannot_read_has_neither_keys_nor_values(text: str) -> None:
    assert explode(text) == (None, None)


@pytest.mark.parametrize("text", ['{"a":NaN}', '{"a":1,}', '{"a":-inf}'])
def test_duckdb_reads_some_texts_that_are_no_json(text: str) -> None:
    assert explode(text)[0] == ["a"]


@pytest.mark.parametrize(
    ("value", "written"),
    [("1e5", "100000.0"), ("1e+21", "1e21"), ('"\\u001f"', '"\\u001F"'), ("1.0", "1.0")],
)
def test_duckdb_writes_some_values_unlike_javascript(value: str, written: str) -> None:
    assert explode(f'{{"a":{value}}}')[1] == [written]


def test_arrays_are_taken_apart_in_order() -> None:
    frame = explode_arrays(pl.DataFrame({"text": ['["b",null,[1,2]]', "[]"]}))
    assert frame["items"].to_list() == [['"b"', "null", "[1,2]"], []]
