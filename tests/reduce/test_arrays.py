"""Fields whose values are united."""

import polars as pl

from neotoma_core.neotoma.schemas import Converter, FieldRule
from neotoma_core.reduce.fields.arrays import unite_items

NUMBER = FieldRule(
    "n", "number", (Converter("string", "number", "string_to_number"),), "merge_array"
)


def union(*stated: tuple[int, str], conversion: int | None = None) -> tuple[str, str]:
    """Return value and source of one field; (source_priority, value), latest first."""
    rows = pl.DataFrame(
        stated, schema={"source_priority": pl.Int64, "value": pl.String}, orient="row"
    ).with_row_index("row")
    values = rows.with_columns(
        place="row",
        group=pl.lit(1),
        key=pl.lit(1),
        contested=pl.lit(len(stated) > 1),
        conversion=pl.lit(conversion, dtype=pl.UInt32),
        source=pl.format("o{}", "row"),
        rewritten=pl.lit(value=False),
    ).drop("source_priority")
    kept = unite_items(values, rows.select("row", "source_priority"), [NUMBER])
    value, source = kept.select("value", "source").row(0)
    return value, source


def test_items_come_in_the_order_met_and_once() -> None:
    assert union((1, '["b","a"]'), (1, '["a","c"]')) == ('["b","a","c"]', "o0,o1")


def test_only_the_highest_priority_contributes() -> None:
    assert union((1, '["a"]'), (9, '["b"]')) == ('["b"]', "o1")


def test_a_null_states_the_field_and_contributes_nothing() -> None:
    assert union((9, "null"), (1, '["b"]')) == ("[]", "")


def test_objects_and_arrays_are_never_equal_but_scalars_are() -> None:
    assert union((1, '[{"x":1},{"x":1},[1],[1],null,null,1,"1"]')) == (
        '[{"x":1},{"x":1},[1],[1],null,1,"1"]',
        "o0",
    )


def test_a_string_that_holds_an_array_counts_as_the_array() -> None:
    assert union((1, '" [1.0, \\"a\\"] "'), (1, '"[x"')) == ('[1,"a","[x"]', "o0,o1")


def test_single_values_are_converted_and_items_are_not() -> None:
    assert union((1, '"7"'), (1, '["7"]'), conversion=0) == ('[7,"7"]', "o0,o1")


def test_infinities_are_told_apart_from_null_before_they_are_written_as_null() -> None:
    assert union((1, '"Infinity"'), (1, '"-Infinity"'), (1, "[null]"), conversion=0) == (
        "[null,null,null]",
        "o0,o1,o2",
    )
