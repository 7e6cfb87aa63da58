"""JSON objects taken apart: every row is exploded, unreadable or left to the exact reducer."""

import polars as pl

from neotoma_core.reduce.fields.objects import Objects, take_apart


def take(*texts: str | None) -> Objects:
    frame = pl.DataFrame(
        {"row": range(len(texts)), "text": texts}, schema_overrides={"text": pl.String}
    )
    return take_apart(frame)


def test_every_row_is_in_one_of_the_three() -> None:
    objects = take(
        '{"a":1}', None, '{"a":1,"a":2}', '{"a":"\\ud800"}', '{"a":1,}', '{"a": 1.0}', "{}"
    )
    assert objects.exploded["row"].to_list() == [0, 5, 6]
    assert sorted(objects.unreadable["row"]) == [1, 4]
    assert sorted(objects.beyond["row"]) == [2, 3]


def test_what_duckdb_may_spoil_is_rewritten_first_and_marked() -> None:
    exploded = take('{"a":1}', '{"b":1e400000000, "a":-0}', '{"a":-0}').exploded
    assert exploded.select("row", "values", "rewritten").rows() == [
        (0, ["1"], False),
        (2, ["0"], True),
    ]


def test_white_space_alone_is_no_reason_to_rewrite() -> None:
    assert take(' { "a" : [ 1 , 2 ] } ').exploded.select("values", "rewritten").row(0) == (
        ["[1,2]"],
        False,
    )
