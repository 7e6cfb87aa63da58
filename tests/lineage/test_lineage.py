"""Who stands for whom: merges and splits of entities as several databases tell them."""

import polars as pl
import pytest

from neotoma_core.lineage.lineage import Pointer, lineage_of
from neotoma_core.lineage.offers import Offered
from tests.lineage.test_references import database

EARLY, LATE = "2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"


def audit(old: str, new: str, user: str | None = "u", at: str = EARLY) -> dict[str, object]:
    return {
        "id": f"{old}>{new}",
        "from_entity_id": old,
        "to_entity_id": new,
        "user_id": user,
        "created_at": at,
    }


def split(old: str, new: str, at: str = EARLY) -> dict[str, object]:
    return {
        "id": f"{old}/{new}",
        "source_entity_id": old,
        "new_entity_id": new,
        "user_id": "u",
        "created_at": at,
    }


def entities(*ids: str, **pointers: str) -> list[dict[str, object]]:
    return [
        {"id": entity, "merged_to_entity_id": pointers.get(entity), "merged_at": EARLY}
        for entity in (*ids, *pointers)
    ]


def knowing(*merges: dict[str, object], of: str = "abcd") -> dict[str, Offered]:
    """Return a database that merged some entities, its pointers and its audit rows."""
    rows = entities(*of)
    for row in rows:
        for merge in merges:
            if merge["from_entity_id"] == row["id"]:
                row |= {
                    "merged_to_entity_id": merge["to_entity_id"],
                    "merged_at": merge["created_at"],
                }
    return database(entities=rows, entity_merges=list(merges))


def test_chains_are_followed_across_databases() -> None:
    lineage = lineage_of([knowing(audit("a", "b")), knowing(audit("b", "c"))])
    assert lineage.survivor("a", "u") == "c"
    assert lineage.contradicted == ()


@pytest.mark.parametrize(("turned", "survivor"), [(False, "b"), (True, "a")])
def test_of_opposite_merges_that_of_the_first_database_stands(
    *, turned: bool, survivor: str
) -> None:
    here, there = knowing(audit("a", "b", at=LATE)), knowing(audit("b", "a", at=EARLY))
    lineage = lineage_of([there, here] if turned else [here, there])
    assert [lineage.survivor(entity, "u") for entity in "ab"] == [survivor] * 2
    other = "ab".replace(survivor, "")
    assert lineage.cleared == {(survivor, other)}
    assert lineage.closing == ((survivor, other),)
    assert lineage.contradicted == ()


def test_merges_in_a_circle_of_three_databases_leave_one_survivor() -> None:
    merges = [audit("a", "b"), audit("b", "c"), audit("c", "a")]
    lineage = lineage_of([knowing(merge) for merge in merges])
    assert [lineage.survivor(entity, "u") for entity in "abc"] == ["c"] * 3
    assert lineage.closing == (("c", "a"),)


def test_a_long_cycle_in_one_database_ends() -> None:
    lineage = lineage_of([knowing(audit("a", "b"), audit("b", "c"), audit("c", "a"))])
    assert len({lineage.survivor(entity, "u") for entity in "abc"}) == 1


@pytest.mark.parametrize(("first", "second"), ["cb", "bc"])
def test_of_two_different_survivors_that_of_the_first_database_counts(
    first: str, second: str
) -> None:
    lineage = lineage_of([knowing(audit("a", first, at=LATE)), knowing(audit("a", second))])
    assert lineage.survivor("a", "u") == first
    assert lineage.contradicted == ("a",)


def test_two_ways_to_one_survivor_are_no_contradiction() -> None:
    direct, by_way = knowing(audit("a", "c")), knowing(audit("a", "b"), audit("b", "c"))
    assert lineage_of([direct, by_way]).contradicted == ()


def test_a_merge_is_its_users_own() -> None:
    lineage = lineage_of([knowing(audit("a", "b", "ann"))])
    assert lineage.survivor("a", "bob") == "a"
    assert lineage.survivor("a", "ann") == "b"


def test_only_the_rows_of_who_made_a_merge_have_a_new_owner() -> None:
    lineage = lineage_of([knowing(audit("a", "b", "ann"))])
    places = [("a", "ann"), ("a", "ann"), ("a", "bob"), ("b", "ann")]
    rows = pl.DataFrame(places, schema=["entity_id", "user_id"], orient="row")
    assert lineage.owners(rows).rows() == [("a", "ann", "b")]


def test_a_pointer_without_an_audit_row_is_everybodys() -> None:
    lineage = lineage_of([database(entities=entities("b", a="b"))])
    assert lineage.survivor("a", "anybody") == "b"
    assert lineage.pointers == {"a": Pointer("b", EARLY)}


def test_a_merge_whose_entity_row_is_lost_is_known_by_its_audit_row() -> None:
    lost = database(entities=entities("b"), entity_merges=[audit("a", "b")])
    assert lineage_of([lost]).survivor("a", "u") == "b"


def test_an_audit_row_says_nothing_of_an_entity_that_stands_for_itself() -> None:
    undone = database(entities=entities("a", "b"), entity_merges=[audit("a", "b")])
    assert lineage_of([undone]).survivor("a", "u") == "a"


def test_a_survivor_that_no_database_holds_takes_nothing_over() -> None:
    lineage = lineage_of([knowing(audit("a", "nobody"), audit("b", "c"))])
    assert [lineage.survivor(entity, "u") for entity in "ab"] == ["a", "c"]


def test_a_merge_of_no_date_stands() -> None:
    undated: dict[str, object] = {"id": "a", "merged_to_entity_id": "b", "merged_at": None}
    lineage = lineage_of([database(entities=[undated, *entities("b")])])
    assert lineage.pointers == {"a": Pointer("b", None)}


def test_a_later_split_gives_back_what_a_merge_took() -> None:
    merged = audit("a", "b", at=EARLY)
    parted = database(entities=entities("a", "b"), entity_splits=[split("b", "a", at=LATE)])
    lineage = lineage_of([knowing(merged), parted])
    assert lineage.survivor("a", "u") == "a"
    assert lineage.cleared == {("a", "b")}
    assert lineage.closing == ()
    sooner = database(entities=entities("a", "b"), entity_splits=[split("b", "a", at=EARLY)])
    later = knowing(audit("a", "b", at=LATE))
    assert lineage_of([later, sooner]).survivor("a", "u") == "b"


def test_a_row_belongs_to_who_a_split_gave_it_to() -> None:
    parted = database(entities=entities("a", "n"), entity_splits=[split("a", "n")])
    lineage = lineage_of([parted])
    assert lineage.split_owner(["a", "n"], "u") == "n"
    assert lineage.split_owner(["a", "x"], "u") is None
    for somebody_else in ("bob", "zoe"):
        assert lineage.split_owner(["a", "n"], somebody_else) is None


def test_a_split_is_followed_by_the_merges_since() -> None:
    parted = database(entities=entities("a", "m", n="m"), entity_splits=[split("a", "n")])
    assert lineage_of([parted]).split_owner(["a", "m"], "u") == "m"
    again = database(
        entities=entities("a", "m", "o", n="m"), entity_splits=[split("a", "n"), split("m", "o")]
    )
    assert lineage_of([again]).split_owner(["n", "o", "a"], "u") == "o"


def test_of_two_splits_one_after_another_the_last_decides() -> None:
    splits = [split("a", "n"), split("n", "o")]
    lineage = lineage_of([database(entities=entities("a", "n", "o"), entity_splits=splits)])
    assert lineage.split_owner(["n", "o", "a"], "u") == "o"


def test_of_a_chain_of_splits_the_last_decides() -> None:
    splits = [split("a", "n"), split("n", "o"), split("o", "p")]
    lineage = lineage_of([database(entities=entities(*"anop"), entity_splits=splits)])
    assert lineage.split_owner(["n", "p", "a"], "u") == "p"


def test_of_two_splits_that_differ_that_of_the_first_database_decides() -> None:
    splits = [split("a", "m"), split("a", "n")]
    lineage = lineage_of([database(entities=entities("a", "m", "n"), entity_splits=splits)])
    assert lineage.split_owner(["n", "m"], "u") == "n"


@pytest.mark.parametrize("at", [EARLY, LATE])
def test_of_an_entity_that_is_lost_everywhere_the_same_merge_stands_before_and_after(
    at: str,
) -> None:
    """Its audit rows are merged, and tell no more which database was the first."""
    one, other = audit("gone", "b", "u", at), audit("gone", "a", "v", EARLY)
    first = lineage_of([knowing(one), knowing(other)])
    assert first.pointers == lineage_of([knowing(one, other)]).pointers
    assert first.pointers["gone"].to == "a"
