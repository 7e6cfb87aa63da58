"""What an erasure reaches, in frames of a few rows."""

import polars as pl
import pytest

from neotoma_core.erased.naming import TablesInMemory, name_rows, naming_columns
from neotoma_core.erased.narrowing import reach_in
from neotoma_core.erased.reach import Reach, reach
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import TABLES
from tests.support.reaching import TablesInParts, told_by

Rows = list[dict[str, str | None]]


def reach_of(seeds: dict[str, set[str]], **tables: Rows) -> Reach:
    named = {
        name: name_rows(
            name,
            pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String)).with_row_index(ROWID),
        )
        for name, rows in tables.items()
    }
    ids = {kind: frozenset(names) for kind, names in seeds.items()}
    found = reach(named, ids)
    for narrowed in (reach_in(TablesInMemory(named), ids), reach_in(TablesInParts(named), ids)):
        assert told_by(narrowed) == told_by(found)
    return found


def ids_gone(found: Reach, **tables: Rows) -> dict[str, list[str | None]]:
    return {
        name: [tables[name][int(place)]["id"] for place in numbers.sort()]
        for name, numbers in found.rows.items()
    }


def test_every_table_names_something_that_an_erasure_can_reach() -> None:
    nameless = [t.name for t in TABLES if not naming_columns(t.name, t.names)]
    assert nameless == []
    unknown = naming_columns("of_tomorrow", ["entity_id", "note", "user_id", "observation_id"])
    assert unknown == {
        "entity_id": "entities",
        "user_id": "users",
        "observation_id": "observations",
    }


@pytest.mark.parametrize(
    ("merges", "erased"),
    [
        ({"b": "a", "c": "b", "d": None}, ["a", "b", "c"]),
        ({"a": "b", "b": "a", "c": "a"}, ["a", "b", "c"]),
        ({"a": "a", "b": "c"}, ["a"]),
        ({"a": "", "b": ""}, ["a"]),
    ],
)
def test_what_was_merged_into_the_erased_goes_and_circles_end(
    merges: dict[str, str | None], erased: list[str]
) -> None:
    rows: Rows = [{"id": name, "merged_to_entity_id": into} for name, into in merges.items()]
    if "a" not in merges:
        rows.insert(0, {"id": "a", "merged_to_entity_id": None})
    found = reach_of({"entities": {"a"}}, entities=rows)
    assert ids_gone(found, entities=rows) == {"entities": erased}


def test_a_merge_that_only_the_log_of_merges_knows_counts_too() -> None:
    tables: dict[str, Rows] = {
        "entities": [{"id": name} for name in "abcd"],
        "entity_merges": [
            {"id": "m1", "from_entity_id": "b", "to_entity_id": "a"},
            {"id": "m2", "from_entity_id": "c", "to_entity_id": "b"},
            {"id": "m3", "from_entity_id": "a", "to_entity_id": "d"},
        ],
    }
    found = reach_of({"entities": {"a"}}, **tables)
    assert ids_gone(found, **tables) == {
        "entities": ["a", "b", "c"],
        "entity_merges": ["m1", "m2", "m3"],
    }
    assert found.merged == {"b", "c"}


def source_used_by(*owners: str) -> dict[str, Rows]:
    return {
        "sources": [{"id": "s"}],
        "observations": [
            {"id": f"o{place}", "entity_id": owner, "source_id": "s", "interpretation_id": None}
            for place, owner in enumerate(owners)
        ],
    }


def test_a_source_goes_with_the_last_that_used_it() -> None:
    tables = source_used_by("a", "a")
    found = reach_of({"entities": {"a"}}, **tables)
    assert ids_gone(found, **tables) == {"sources": ["s"], "observations": ["o0", "o1"]}
    tables = source_used_by("a", "b")
    found = reach_of({"entities": {"a"}}, **tables)
    assert ids_gone(found, **tables) == {"observations": ["o0"]}
    assert found.shared == {"s"}


def test_an_interpretation_that_nothing_uses_does_not_keep_a_source() -> None:
    tables = source_used_by("a")
    tables["interpretations"] = [{"id": "i", "source_id": "s"}]
    assert set(reach_of({"entities": {"a"}}, **tables).rows) == {*tables}


def test_an_interpretation_that_something_uses_keeps_its_source() -> None:
    tables = source_used_by("a", "b")
    tables["interpretations"] = [{"id": "i", "source_id": "s"}]
    tables["observations"][1] |= {"source_id": None, "interpretation_id": "i"}
    found = reach_of({"entities": {"a"}}, **tables)
    assert set(found.rows) == {"observations"}


def test_the_rows_of_other_users_stay_and_their_entity_is_not_recorded() -> None:
    tables: dict[str, Rows] = {
        "entities": [{"id": "a", "user_id": "x"}, {"id": "b", "user_id": "x"}],
        "observations": [
            {"id": "o1", "entity_id": "a", "user_id": "y"},
            {"id": "o2", "entity_id": "b", "user_id": None},
        ],
    }
    found = reach_of({"users": {"x"}}, **tables)
    assert ids_gone(found, **tables) == {"entities": ["a", "b"], "observations": ["o2"]}
    assert found.ids["entities"] == {"b"}
    assert found.dangling == {("observations", "entity_id"): 1}


def test_a_source_goes_though_an_interpretation_of_it_that_nothing_uses_stays() -> None:
    """What is idle is known by what does not use it, in whatever table and of whatever source."""
    tables = source_used_by("a")
    tables["interpretations"] = [{"id": name, "source_id": "s"} for name in "ij"]
    tables["relationship_observations"] = [{"id": "r", "interpretation_id": "j"}]
    found = reach_of({"entities": {"a"}}, **tables)
    assert ids_gone(found, **tables) == {"observations": ["o0"]}
    tables["relationship_observations"] = [{"id": "r", "interpretation_id": "k"}]
    found = reach_of({"entities": {"a"}}, **tables)
    assert set(found.rows) == {"observations", "sources", "interpretations"}


def test_companions_go_with_the_last_observation_that_links_the_two() -> None:
    tables: dict[str, Rows] = {
        "observations": [
            {"id": "o1", "entity_id": "a", "source_id": "s"},
            {"id": "o2", "entity_id": "b", "source_id": "s"},
        ],
        "raw_fragments": [
            {"id": "f1", "entity_id": "a", "source_id": "s"},
            {"id": "f2", "entity_id": "a", "source_id": "s"},
            {"id": "f3", "entity_id": "b", "source_id": "s"},
            {"id": "f4", "entity_id": None, "source_id": "s"},
            {"id": "f5", "entity_id": None, "source_id": "s"},
        ],
    }
    found = reach_of({"observations": {"o1"}}, **tables)
    assert ids_gone(found, **tables) == {"observations": ["o1"], "raw_fragments": ["f1", "f2"]}
    tables["observations"].pop()
    found = reach_of({"observations": {"o1"}}, **tables)
    assert ids_gone(found, **tables)["raw_fragments"] == ["f1", "f2", "f4", "f5"]
    tables["raw_fragments"].pop(2)
    found = reach_of({"observations": {"o1"}}, **tables)
    assert ids_gone(found, **tables)["raw_fragments"] == ["f1", "f2", "f4", "f5"]


def test_companions_stay_while_another_observation_links_the_two() -> None:
    tables: dict[str, Rows] = {
        "observations": [{"id": name, "entity_id": "a", "source_id": "s"} for name in ("o1", "o2")],
        "raw_fragments": [{"id": "f", "entity_id": "a", "source_id": "s"}],
    }
    found = reach_of({"observations": {"o1"}}, **tables)
    assert ids_gone(found, **tables) == {"observations": ["o1"]}


def test_every_row_that_is_left_dangling_is_counted() -> None:
    tables: dict[str, Rows] = {
        "sources": [{"id": "s", "user_id": "x"}],
        "observations": [
            {"id": name, "entity_id": "a", "source_id": "s", "user_id": "y"} for name in "opq"
        ],
    }
    found = reach_of({"users": {"x"}}, **tables)
    assert ids_gone(found, **tables) == {"sources": ["s"]}
    assert found.dangling == {("observations", "source_id"): 3}


def test_nothing_reaches_nothing() -> None:
    tables = source_used_by("a")
    found = reach_of({"entities": {"z"}}, **tables)
    assert (found.total, found.ids) == (0, {"entities": frozenset({"z"})})
