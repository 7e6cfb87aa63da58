"""Declared conversions of values."""

import polars as pl

from neotoma_core.neotoma.schemas import Converter, FieldRule
from neotoma_core.reduce.fields.conversions import convert_values, finite

RULES = (
    FieldRule("n", "number", (Converter("string", "number", "string_to_number"),)),
    FieldRule("d", "date", (Converter("number", "date", "timestamp_ms_to_iso"),)),
)


def results(*values: tuple[int | None, str]) -> list[str]:
    schema = {"conversion": pl.UInt32, "value": pl.String}
    frame = pl.DataFrame(values, schema=schema, orient="row").with_row_index("at")
    return convert_values(frame, RULES).sort("at")["value"].to_list()


def test_values_of_the_wrong_type_are_converted_by_their_own_rule() -> None:
    assert results((0, '"12.5abc"'), (1, "0"), (None, '"12"')) == [
        "12.5",
        '"1970-01-01T00:00:00.000Z"',
        '"12"',
    ]


def test_values_of_the_right_type_and_nulls_stay() -> None:
    assert results((0, "1"), (1, '"any text"'), (0, "null"), (0, '"no number"')) == [
        "1",
        '"any text"',
        "null",
        '"no number"',
    ]


def test_infinity_is_written_as_null_in_the_end() -> None:
    assert results((0, '"-Infinity"')) == ["-Infinity"]
    written = pl.Series("v", ["Infinity", "-Infinity", '"Infinity"']).to_frame()
    assert written.select(finite(pl.col("v")))["v"].to_list() == ["null", "null", '"Infinity"']
