"""Snapshots and provenance as JSON text."""

import polars as pl
import pytest

from neotoma_core.reduce.fields.assembly import assemble, canonical_names

KEYS = pl.DataFrame(
    {
        "key": [0, 1, 2, 3, 4],
        "name": ["name", "10", "2", "__proto__", "title"],
        "label": ['"name"', '"10"', '"2"', '"__proto__"', '"title"'],
        "index": [None, 10, 2, None, None],
    },
    schema_overrides={"key": pl.UInt32},
)


def keep(*fields: tuple[int, int, int, str, str]) -> pl.DataFrame:
    """Return (group, key, first, value, source)."""
    schema = {
        "group": pl.UInt32,
        "key": pl.UInt32,
        "first": pl.UInt32,
        "value": pl.String,
        "source": pl.String,
    }
    return pl.DataFrame(fields, schema=schema, orient="row")


def test_indices_come_first_and_then_fields_as_met() -> None:
    fields = keep(
        (1, 0, 5, "7", "a"), (1, 1, 6, "8", "b"), (1, 2, 7, "9", "c"), (0, 0, 1, "1", "d")
    )
    assert assemble(fields, KEYS).rows() == [
        (0, '{"name":1}', '{"name":"d"}'),
        (1, '{"2":9,"10":8,"name":7}', '{"2":"c","10":"b","name":"a"}'),
    ]


def test_the_prototype_is_no_field() -> None:
    fields = keep((0, 3, 0, "1", "a"), (0, 4, 1, "2", "a"))
    assert assemble(fields, KEYS)["snapshot"].to_list() == ['{"title":2}']


def test_fields_stay_as_met_where_there_is_no_index() -> None:
    fields = keep((0, 4, 2, "2", "a"), (0, 0, 0, "1", "a"))
    plain = KEYS.with_columns(pl.lit(None, dtype=pl.Int64).alias("index")).head(1)
    keys = pl.concat([plain, KEYS.slice(1, 4).with_columns(index=None, name=pl.lit("x"))])
    assert assemble(fields, keys)["snapshot"].to_list() == ['{"name":1,"title":2}']


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('"Ada"', "Ada"),
        ('" Ada\\n"', "Ada"),
        ('"\\u0007"', "\x07"),
        ('"q\\"q"', 'q"q'),
        ('"\u00a0Zoë "', "Zoë"),
        ('"x"', "x"),
        ('"\\\\"', "\\"),
    ],
)
def test_a_name_is_what_the_json_string_says_trimmed(value: str, name: str) -> None:
    assert canonical_names(keep((0, 0, 0, value, "a")), KEYS).rows() == [(0, name)]


@pytest.mark.parametrize("value", ['""', '"  "', "1", '["Ada"]', '"\ufeff"'])
def test_what_is_blank_or_no_string_names_nothing(value: str) -> None:
    assert canonical_names(keep((0, 0, 0, value, "a")), KEYS).is_empty()


def test_a_title_names_before_a_name() -> None:
    fields = keep((0, 0, 0, '"n"', "a"), (0, 4, 1, '"t"', "a"), (1, 4, 2, '" "', "a"))
    both = pl.concat([fields, keep((1, 0, 3, '"n"', "a"))])
    assert canonical_names(both, KEYS).sort("group").rows() == [(0, "t"), (1, "n")]
