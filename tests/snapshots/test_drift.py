"""What counts as drift, and what is reported of it."""

import polars as pl
import pytest

from neotoma_core.neotoma.json import JsonValue, parse_json
from neotoma_core.snapshots.change import DerivedChange, plan_derived
from neotoma_core.snapshots.drift import DRIFT, Compared, find_drift, keep_texts, same_json

OF = Compared("id", "type", ("type", "snapshot", "observation_count"), ("snapshot",))
COLUMNS = ("id", "type", "snapshot", "observation_count")
Row = tuple[str, str, str | None, int]


def rows(*cells: Row) -> pl.DataFrame:
    schema = {
        "id": pl.String,
        "type": pl.String,
        "snapshot": pl.String,
        "observation_count": pl.Int64,
    }
    return pl.DataFrame(cells, schema=schema, orient="row")


def change(recomputed: pl.DataFrame, existing: pl.DataFrame) -> DerivedChange:
    gone = existing.select("id").join(recomputed, on="id", how="anti")
    return plan_derived("id", existing, recomputed, gone, columns=COLUMNS)


def drift(recomputed: pl.DataFrame, existing: pl.DataFrame, detailed: int = 9) -> pl.DataFrame:
    kept = keep_texts(recomputed, existing, OF)
    reasons = existing.select("id", reason=pl.lit("no observations"))
    return find_drift(change(kept, existing), existing, reasons, OF, detailed)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ('{"a":1,"b":2}', '{"b":2,"a":1.0}', True),
        ("[1,2]", "[2,1]", False),
        ("[1]", "[1,1]", False),
        ("true", "1", False),
        ("false", "0", False),
        ("null", "0", False),
        ('{"a":null}', "{}", False),
        ('{"a":[true]}', '{"a":[1]}', False),
        ('"1"', "1", False),
        ('"\\u00e9"', '"é"', True),
    ],
)
def test_json_is_compared_by_value(left: str, right: str, same: bool) -> None:  # noqa: FBT001 - a table of cases
    values: list[JsonValue] = [parse_json(left), parse_json(right)]
    assert same_json(*values) is same
    assert same_json(*reversed(values)) is same


def test_text_of_the_same_value_is_kept_as_stored() -> None:
    stored = rows(("a", "t", '{ "x" : 1.0 }', 1), ("b", "t", "{}", 1))
    fresh = rows(("a", "t", '{"x":1}', 1), ("b", "t", '{"x":1}', 1))
    assert keep_texts(fresh, stored, OF)["snapshot"].to_list() == ['{ "x" : 1.0 }', '{"x":1}']
    assert keep_texts(fresh, stored, OF).columns == fresh.columns


def test_a_row_that_is_written_anyway_gets_the_text_as_recomputed() -> None:
    stored, fresh = rows(("a", "t", '{ "x" : 1 }', 1)), rows(("a", "t", '{"x":1}', 2))
    assert keep_texts(fresh, stored, OF).equals(fresh)


@pytest.mark.parametrize("stored", ["not json", "[1]", "", None])
def test_what_is_no_object_differs_from_every_object(stored: str | None) -> None:
    found = drift(rows(("a", "t", '{"x":1}', 1)), rows(("a", "t", stored, 1)))
    assert found.select("kind", "columns", "fields").rows() == [("stale", ["snapshot"], ["x"])]


def test_every_kind_of_drift_is_told_apart() -> None:
    stored = rows(
        ("same", "t", "{}", 1),
        ("stale", "t", '{"x":1,"y":2,"z":3}', 1),
        ("counted", "t", "{}", 7),
        ("both", "t", '{"x":1}', 7),
        ("extra", "u", "{}", 1),
    )
    fresh = rows(
        ("same", "t", "{}", 1),
        ("stale", "t", '{"x":1,"y":3,"w":4}', 1),
        ("counted", "t", "{}", 1),
        ("both", "t", "{}", 1),
        ("new", "v", "{}", 1),
    )
    found = {row["key"]: row for row in drift(fresh, stored).to_dicts()}
    assert {key: row["kind"] for key, row in found.items()} == {
        "stale": "stale",
        "counted": "wrong-count",
        "both": "stale",
        "extra": "unexpected",
        "new": "missing",
    }
    assert sorted(found["stale"]["fields"]) == ["w", "y", "z"]
    assert found["both"]["columns"] == ["snapshot", "observation_count"]
    assert (found["extra"]["type"], found["extra"]["reason"]) == ("u", "no observations")
    assert found["new"]["type"] == "v"


def test_fields_are_named_only_of_as_many_rows_as_asked_for() -> None:
    stored = rows(*((name, "t", "{}", 1) for name in "abc"))
    fresh = rows(*((name, "t", '{"x":1}', 1) for name in "abc"))
    assert drift(fresh, stored, detailed=2)["fields"].to_list() == [["x"], ["x"], None]


def test_without_drift_there_is_an_empty_frame_of_it() -> None:
    same = rows(("a", "t", "{}", 1))
    assert drift(same, same).schema == pl.Schema(DRIFT)
    assert drift(same, same).is_empty()
