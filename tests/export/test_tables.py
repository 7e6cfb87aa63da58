"""What observations state, entities as rows, and what the catalog says of them."""

import polars as pl

from neotoma_core.export.catalog import (
    ExportedTable,
    columns_of,
    table_entry,
    type_name,
    view_names,
)
from neotoma_core.export.entities import OWN, wide
from neotoma_core.export.redaction import Redactions, hash_value
from neotoma_core.export.stated import as_values, members, redact

SALT = b"salt"


def read_stated(*texts: str | None) -> list[tuple[int, str, str]]:
    rows = pl.DataFrame(
        {"row": range(len(texts)), "text": texts}, schema_overrides={"text": pl.String}
    )
    return sorted(members(rows).rows())


def test_objects_are_taken_apart_as_they_are_written() -> None:
    assert read_stated('{"a":1,"b":null}', "[]", None, "{}") == [(0, "a", "1"), (0, "b", "null")]


def test_of_a_field_that_is_given_twice_the_last_value_counts() -> None:
    assert read_stated('{"a":1,"a":2}') == [(0, "a", "2")]


def test_values_are_plain_text_and_say_their_type() -> None:
    rows = pl.DataFrame({"json": ['"a"', "1", "true", "null", "[1]", "{}"]})
    assert as_values(rows).rows() == [
        ("a", "string"),
        ("1", "number"),
        ("true", "boolean"),
        (None, "null"),
        ("[1]", "array"),
        ("{}", "object"),
    ]


def test_redacted_values_go_or_are_hashed() -> None:
    rows = pl.DataFrame(
        {"entity_type": ["t", "t", "u"], "field": ["x", "y", "x"], "json": ["1", "2", "3"]}
    )
    kept = redact(rows, Redactions({("t", "x"): "drop", ("t", "y"): "hash"}), SALT)
    assert kept["json"].to_list() == [f'"{hash_value("2", SALT)}"', "3"]
    assert redact(rows, Redactions(), SALT).equals(rows)


def snapshots(*texts: str) -> pl.DataFrame:
    rows = [(f"e{n}", f"name {n}", None, 1, None, None, text) for n, text in enumerate(texts)]
    return pl.DataFrame(rows, schema={**OWN, "snapshot": pl.String}, orient="row")


def test_a_column_for_every_field_of_the_schema_and_every_other_that_there_is() -> None:
    table = wide("t", snapshots('{"b":1}', '{"A":"x"}'), {"n": "number"}, Redactions(), SALT)
    assert [(c.column, c.kind) for c in table.columns] == [
        ("n", "float"),
        ("A", "string"),
        ("b", "float"),
    ]
    assert table.rows["b"].to_list() == [1.0, None]


def test_columns_whose_names_differ_by_case_only_are_told_apart() -> None:
    table = wide("t", snapshots('{"a":1,"A":2,"Entity_ID":3,"":4}'), None, Redactions(), SALT)
    titles = [column.column for column in table.columns]
    lowered = [name.lower() for name in table.rows.columns]
    assert len(set(lowered)) == len(lowered)
    assert {column.field for column in table.columns} == {"a", "A", "Entity_ID", ""}
    assert "Entity_ID_" in titles


def test_a_type_that_is_redacted_does_not_keep_its_names() -> None:
    table = wide("t", snapshots('{"a":1}'), None, Redactions({("t", "a"): "drop"}), SALT)
    assert table.rows["canonical_name"].to_list() == [None]
    assert table.columns == ()


def test_the_catalog_names_types_fields_and_what_stayed_text() -> None:
    table = wide("t", snapshots('{"n":"x"}'), {"n": "number"}, Redactions(), SALT)
    columns = columns_of(dict(table.rows.schema))
    exported = ExportedTable("t", "t.parquet", 1, columns, {"n": 1}, "t", table.columns)
    entry = table_entry(exported)
    assert isinstance(entry, dict)
    assert isinstance(entry["columns"], list)
    assert {"name": "n", "type": "float", "field": "n", "untyped": 1} in entry["columns"]
    assert type_name(pl.List(pl.String)) == "list of string"
    assert type_name(pl.Datetime("ms", "UTC")) == "timestamp (UTC)"
    assert type_name(pl.Date()) == "date"


def test_views_of_types_that_differ_by_case_only_are_called_by_their_files() -> None:
    files = {"a": "a.parquet", "A": "%41.parquet", "b": "b.parquet"}
    tables = [ExportedTable(name, file, 0, (), {}, name) for name, file in files.items()]
    assert [view for view, _ in view_names(tables)] == ["a.parquet", "%41.parquet", "b"]
