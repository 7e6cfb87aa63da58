"""Who stands for whom: merges and splits of entities as several databases tell them."""

import pytest

from neotoma_core.merge.frames import Offered
from neotoma_core.merge.lineage import lineage_of
from tests.merge.test_references import database

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
    return database(entities=entities(*of), entity_merges=list(merges))


def test_chains_are_followed_across_databases() -> None:
    lineage = lineage_of([knowing(audit("a", "b")), knowing(audit("b", "c"))])
    assert lineage.survivor("a", "u") == "c"
    assert lineage.contradicted == ()


@pytest.mark.parametrize("turned", [False, True])
def test_a_cycle_ends_at_what_was_merged_first(*, turned: bool) -> None:
    here, there = knowing(audit("a", "b", at=EARLY)), knowing(audit("b", "a", at=LATE))
    lineage = lineage_of([there, here] if turned else [here, there])
    assert [lineage.survivor(entity, "u") for entity in "ab"] == ["b", "b"]


def test_a_cycle_of_everybodys_and_one_users_merges_ends() -> None:
    pointing = database(entities=entities("b", a="b"), entity_merges=[audit("b", "a", at=LATE)])
    lineage = lineage_of([pointing])
    assert [lineage.survivor(entity, "u") for entity in "ab"] == ["b", "b"]


def test_a_long_cycle_in_one_database_ends() -> None:
    lineage = lineage_of([knowing(audit("a", "b"), audit("b", "c"), audit("c", "a"))])
    assert len({lineage.survivor(entity, "u") for entity in "abc"}) == 1


def test_two_different_survivors_are_a_contradiction_and_the_earlier_counts() -> None:
    lineage = lineage_of([knowing(audit("a", "c", at=LATE)), knowing(audit("a", "b"))])
    assert lineage.survivor("a", "u") == "b"
    assert lineage.contradicted == ("a",)


def test_two_ways_to_one_survivor_are_no_contradiction() -> None:
    direct, by_way = knowing(audit("a", "c")), knowing(audit("a", "b"), audit("b", "c"))
    assert lineage_of([direct, by_way]).contradicted == ()


def test_a_merge_is_its_users_own() -> None:
    lineage = lineage_of([knowing(audit("a", "b", "ann"))])
    assert lineage.survivor("a", "bob") == "a"
    assert lineage.survivor("a", "ann") == "b"


def test_a_pointer_without_an_audit_row_is_everybodys() -> None:
    lineage = lineage_of([database(entities=entities("b", a="b"))])
    assert lineage.survivor("a", "anybody") == "b"
    assert lineage.pointers.rows() == [("a", "b", EARLY)]


def test_a_survivor_that_no_database_holds_takes_nothing_over() -> None:
    assert lineage_of([knowing(audit("a", "nobody"))]).survivor("a", "u") == "a"


def test_a_later_split_gives_back_what_a_merge_took() -> None:
    merged = audit("a", "b", at=EARLY)
    parted = database(entities=entities("a", "b"), entity_splits=[split("b", "a", at=LATE)])
    assert lineage_of([knowing(merged), parted]).survivor("a", "u") == "a"
    sooner = database(entities=entities("a", "b"), entity_splits=[split("b", "a", at=EARLY)])
    later = knowing(audit("a", "b", at=LATE))
    assert lineage_of([later, sooner]).survivor("a", "u") == "b"


def test_splits_lead_from_the_older_owner_to_the_newer() -> None:
    parted = database(entities=entities("a", "n"), entity_splits=[split("a", "n")])
    lineage = lineage_of([parted])
    assert lineage.latest_owner(["a", "n"], "u") == "n"
    assert lineage.latest_owner(["a", "x"], "u") is None
