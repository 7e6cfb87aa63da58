"""Field values: one row per observation and field."""

import polars as pl

from neotoma_core.reduce.fields.objects import take_apart
from neotoma_core.reduce.fields.rules import NO_FIELDS, PICK
from neotoma_core.reduce.fields.values import FieldValues, field_values, rows_stating

FIELDS = pl.DataFrame(
    [(0, "x", "latest", None), (0, "y", "union", 1)],
    schema=NO_FIELDS.schema,
    orient="row",
)


def values_of(*texts: str, schema: int | None) -> FieldValues:
    rows = pl.DataFrame({"row": range(len(texts)), "text": texts})
    observations = rows.select(
        "row",
        group="row",
        contested=pl.lit(value=False),
        source=pl.lit("id"),
        schema=pl.lit(schema, dtype=pl.UInt32),
    )
    return field_values(observations, take_apart(rows).exploded, FIELDS)


def test_fields_unknown_to_the_schema_are_left_out() -> None:
    stated = values_of('{"z":1,"y":[],"x":null}', "{}", '{"x":2}', schema=0)
    named = stated.values.join(stated.keys, on="key").sort("place")
    assert named.select("place", "row", "name", "pick", "conversion", "value").rows() == [
        (0, 0, "y", "union", 1, "[]"),
        (1, 0, "x", "latest", None, "null"),
        (2, 2, "x", "latest", None, "2"),
    ]
    assert stated.values["pick"].dtype == PICK


def test_without_a_schema_every_field_is_kept_and_picked_as_the_latest() -> None:
    stated = values_of('{"":1,"z":2}', schema=None)
    assert stated.values["pick"].to_list() == ["latest", "latest"]
    assert set(stated.keys["name"]) == {"", "z"}


def test_only_array_indices_have_an_index() -> None:
    stated = values_of('{"7":0,"07":0,"4294967294":0,"4294967295":0,"-1":0,"q\\"":0}', schema=None)
    indices = dict(stated.keys.select("name", "index").iter_rows())
    assert {name: index for name, index in indices.items() if index is not None} == {
        "7": 7,
        "4294967294": 4294967294,
    }
    assert stated.keys.filter(pl.col("name") == 'q"')["label"].item() == '"q\\""'


def test_rows_stating_a_value_are_found_wherever_the_field_stands() -> None:
    texts = ('{"a":1,"d":true}', '{"d":false}', '{"a":true}', '{"d":true}', "{}")
    exploded = take_apart(pl.DataFrame({"row": range(5), "text": texts})).exploded
    assert sorted(rows_stating(exploded, "d", ("true",))["row"]) == [0, 3]
