"""Rows of merged and split entities: each belongs to who owns it now, in every mode."""

import pytest

from neotoma_core.lineage.repointing import EDGES, SELF_LOOP
from neotoma_core.merge.plan import (
    MergePlan,
    find_touched_entities,
    find_touched_relationships,
    plan_merge,
)
from neotoma_core.merge.policy import MergeMode, MergePolicy
from neotoma_core.neotoma.frames import ORIGIN
from tests.lineage.test_lineage import EARLY, audit, entities, split
from tests.lineage.test_references import database
from tests.merge.test_table import MODES, Rows, classes


def observe(identifier: str, owner: str, **cells: object) -> dict[str, object]:
    return {
        "id": identifier,
        "entity_id": owner,
        "entity_type": "note",
        "user_id": "u",
        "observed_at": EARLY,
        "fields": "{}",
        **cells,
    }


def edge(identifier: str, start: str, end: str, **cells: object) -> dict[str, object]:
    return {
        "id": identifier,
        "relationship_key": f"KNOWS:{start}:{end}",
        "relationship_type": "KNOWS",
        "source_entity_id": start,
        "target_entity_id": end,
        "user_id": "u",
        "observed_at": EARLY,
        **cells,
    }


MERGED = {"entities": entities("b", "x", a="b"), "entity_merges": [audit("a", "b")]}
UNAWARE = {"entities": entities("a", "b", "x")}


def plan_for(target: dict[str, Rows], backup: dict[str, Rows], mode: MergeMode) -> MergePlan:
    return plan_merge(database(**target), [database(**backup)], MergePolicy(mode))


def owners(plan: MergePlan) -> dict[str, str]:
    return dict(plan.rows_after("observations").select("id", "entity_id").iter_rows())


def count(plan: MergePlan, table: str) -> dict[str, int]:
    (counts,) = plan.tables[table].counts
    return classes(counts)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("merged_here", [True, False])
def test_an_observation_stays_with_the_survivor(mode: MergeMode, *, merged_here: bool) -> None:
    after = {**MERGED, "observations": [observe("o", "b")]}
    before = {**UNAWARE, "observations": [observe("o", "a")]}
    target, backup = (after, before) if merged_here else (before, after)
    plan = plan_for(target, backup, mode)
    assert owners(plan) == {"o": "b"}
    assert count(plan, "observations") == {"moved": 1}
    assert count(plan, "entities") == {"identical": 2, "moved": 1}
    pointers = plan.rows_after("entities").filter(id="a")["merged_to_entity_id"]
    assert pointers.to_list() == ["b"]
    assert plan.conflicts.is_empty()
    assert plan.merged_away.entities["entity_id"].to_list() == ["a"]


@pytest.mark.parametrize("mode", MODES)
def test_an_incoming_observation_of_a_merged_entity_goes_to_the_survivor(mode: MergeMode) -> None:
    backup = {**UNAWARE, "observations": [observe("new", "a")]}
    plan = plan_for(MERGED, backup, mode)
    assert owners(plan) == {"new": "b"}
    assert count(plan, "observations") == {"inserted": 1}
    assert plan.dangling.is_empty()


def test_the_targets_own_observations_follow_a_merge_it_did_not_know_of() -> None:
    target = database(**UNAWARE, observations=[observe("o", "a"), observe("p", "b")])
    plan = plan_merge(target, [database(**MERGED)], MergePolicy())
    assert owners(plan) == {"o": "b", "p": "b"}
    replaced = plan.tables["observations"].replaced
    assert replaced.select("id", ORIGIN).rows() == [("o", -1)]
    assert find_touched_entities(plan, target, ())["entity_id"].to_list() == ["a", "b"]


def test_a_move_beside_another_difference_is_a_conflict_of_that_difference_alone() -> None:
    target = {**MERGED, "observations": [observe("o", "b", fields='{"x":1}')]}
    backup = {**UNAWARE, "observations": [observe("o", "a", fields='{"x":2}')]}
    plan = plan_for(target, backup, "keep-source")
    assert plan.conflicts["columns"].to_list() == [["fields"]]
    assert owners(plan) == {"o": "b"}
    assert plan.rows_after("observations")["fields"].to_list() == ['{"x":2}']


def test_an_owner_that_nothing_explains_is_a_conflict() -> None:
    target = {"entities": entities("a", "b"), "observations": [observe("o", "a")]}
    backup = {"entities": entities("a", "b"), "observations": [observe("o", "b")]}
    assert count(plan_for(target, backup, "safe"), "observations") == {"conflict": 1}


def test_rows_of_nobody_follow_a_merge_of_everybody() -> None:
    merged = {"entities": MERGED["entities"]}
    rows = {
        "observations": [observe("o", "a", user_id=None)],
        EDGES: [edge("r", "a", "x", user_id=None)],
    }
    plan = plan_for(merged, {**UNAWARE, **rows}, "keep-target")
    assert owners(plan) == {"o": "b"}
    edges = plan.rows_after(EDGES).select("relationship_key", "source_entity_id")
    assert edges.rows() == [("KNOWS:b:x", "b")]
    assert owners(plan_for(MERGED, {**UNAWARE, **rows}, "keep-target")) == {"o": "a"}


def test_rows_of_another_user_stay_where_they_are() -> None:
    backup = {**UNAWARE, "observations": [observe("o", "a", user_id="someone else")]}
    assert owners(plan_for(MERGED, backup, "keep-target")) == {"o": "a"}


@pytest.mark.parametrize("split_here", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_a_split_is_not_undone(mode: MergeMode, *, split_here: bool) -> None:
    after: dict[str, Rows] = {
        "entities": entities("a", "n"),
        "entity_splits": [split("a", "n")],
        "observations": [observe("o", "n"), observe("p", "a")],
    }
    before: dict[str, Rows] = {
        "entities": entities("a"),
        "observations": [observe("o", "a"), observe("p", "a")],
    }
    target, backup = (after, before) if split_here else (before, after)
    plan = plan_for(target, backup, mode)
    assert owners(plan) == {"o": "n", "p": "a"}
    assert count(plan, "observations") == {"moved": 1, "identical": 1}


def test_an_edge_of_a_merged_entity_is_repointed() -> None:
    backup = {**UNAWARE, "relationship_observations": [edge("r", "a", "x")]}
    plan = plan_for(MERGED, backup, "keep-target")
    merged = plan.rows_after("relationship_observations")
    ends = ("relationship_key", "source_entity_id", "target_entity_id")
    assert merged.select(ends).rows() == [("KNOWS:b:x", "b", "x")]


def test_an_edge_that_became_a_self_loop_is_not_brought_back() -> None:
    backup = {**UNAWARE, "relationship_observations": [edge("r", "a", "b")]}
    plan = plan_for(MERGED, backup, "keep-target")
    (counts,) = plan.tables["relationship_observations"].counts
    assert counts.reasons == {SELF_LOOP: 1}
    assert plan.rows_after("relationship_observations").is_empty()


def test_an_edge_that_became_equal_to_another_is_a_further_observation_of_it() -> None:
    target = {**MERGED, "relationship_observations": [edge("there", "b", "x")]}
    backup = {**UNAWARE, "relationship_observations": [edge("r", "a", "x")]}
    plan = plan_for(target, backup, "keep-target")
    merged = plan.rows_after("relationship_observations")
    assert merged["id"].to_list() == ["there", "r"]
    assert merged["relationship_key"].unique().to_list() == ["KNOWS:b:x"]


def test_an_edge_whose_place_is_disputed_takes_nobodys() -> None:
    target = {**MERGED, "relationship_observations": [edge("r", "b", "x")]}
    backup = {
        **UNAWARE,
        "relationship_observations": [edge("r", "x", "b"), edge("other", "a", "x")],
    }
    plan = plan_for(target, backup, "keep-source")
    keys = plan.rows_after("relationship_observations").select("id", "relationship_key")
    assert dict(keys.iter_rows()) == {"r": "KNOWS:x:b", "other": "KNOWS:b:x"}


def test_an_edge_that_the_merge_repointed_is_the_same_edge() -> None:
    target = {**MERGED, "relationship_observations": [edge("r", "b", "x")]}
    backup = {**UNAWARE, "relationship_observations": [edge("r", "a", "x")]}
    plan = plan_for(target, backup, "keep-source")
    assert count(plan, "relationship_observations") == {"moved": 1}
    assert plan.rows_after("relationship_observations")["source_entity_id"].to_list() == ["b"]


def test_the_targets_edges_follow_a_merge_and_its_loops_leave() -> None:
    edges = [edge("loop", "a", "b"), edge("moves", "a", "x"), edge("stays", "x", "x")]
    target = database(**UNAWARE, relationship_observations=edges)
    plan = plan_merge(target, [database(**MERGED)], MergePolicy())
    merged = plan.rows_after("relationship_observations")
    assert dict(merged.select("id", "relationship_key").iter_rows()) == {
        "moves": "KNOWS:b:x",
        "stays": "KNOWS:x:x",
    }
    assert plan.removed[EDGES]["id"].to_list() == ["loop"]
    touched = find_touched_relationships(plan, target)["relationship_key"].to_list()
    assert sorted(touched) == ["KNOWS:a:b", "KNOWS:a:x", "KNOWS:b:x"]


@pytest.mark.parametrize("merged_here", [True, False])
def test_both_directions_end_with_the_same_edges(*, merged_here: bool) -> None:
    edges = [edge("loop", "a", "b"), edge("there", "b", "x"), edge("moves", "a", "x")]
    unaware = {**UNAWARE, "relationship_observations": edges}
    aware = {**MERGED, "relationship_observations": [edge("there", "b", "x")]}
    target, backup = (aware, unaware) if merged_here else (unaware, aware)
    merged = plan_for(target, backup, "keep-target").rows_after("relationship_observations")
    keys = dict(merged.select("id", "relationship_key").iter_rows())
    assert keys == {"there": "KNOWS:b:x", "moves": "KNOWS:b:x"}


def test_survivors_and_their_edges_are_touched_though_nothing_of_them_changes() -> None:
    rows = {
        "observations": [observe("o", "b")],
        "relationship_observations": [edge("r", "b", "x")],
    }
    target = database(**MERGED, **rows)
    plan = plan_merge(target, [database(**UNAWARE)], MergePolicy())
    assert find_touched_entities(plan, target, ())["entity_id"].to_list() == ["b"]
    assert find_touched_relationships(plan, target)["relationship_key"].to_list() == ["KNOWS:b:x"]


def test_a_pointer_that_would_close_a_circle_is_cleared_in_every_row() -> None:
    living: dict[str, Rows] = {name: [{"id": name}] for name in "ab"}
    here = {"entities": [*living["a"], *entities(b="a")], "observations": [observe("o", "a")]}
    there = {"entities": [*living["b"], *entities(a="b")], "observations": [observe("o", "b")]}
    plan = plan_for(here, there, "keep-target")
    pointers = plan.rows_after("entities").select("id", "merged_to_entity_id")
    assert dict(pointers.iter_rows()) == {"a": None, "b": "a"}
    assert plan.lineage.closing == (("a", "b"),)
    assert owners(plan) == {"o": "a"}
    assert plan.conflicts.is_empty()


def test_keep_source_takes_the_first_backup_also_where_it_says_what_the_target_does() -> None:
    rows: list[dict[str, Rows]] = [
        {"entities": entities("a"), "observations": [observe("o", "a", fields=fields)]}
        for fields in ('{"x":1}', '{"x":1}', '{"x":2}')
    ]
    target, *backups = (database(**one) for one in rows)
    plan = plan_merge(target, backups, MergePolicy("keep-source", ancestors=False))
    assert plan.rows_after("observations")["fields"].to_list() == ['{"x":1}']
    assert plan.writes == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("turned", [True, False])
def test_a_row_that_one_side_merged_and_the_other_split_has_one_owner(
    mode: MergeMode, *, turned: bool
) -> None:
    """Where it was is not asked, but where its own merges have brought it."""
    merged = {**MERGED, "observations": [observe("o", "a")]}
    parted = {
        "entities": entities("b", "x"),
        "entity_splits": [split("x", "b")],
        "observations": [observe("o", "x")],
    }
    target, backup = (parted, merged) if turned else (merged, parted)
    plan = plan_for(target, backup, mode)
    assert owners(plan) == {"o": "b"}
    assert count(plan, "observations").get("conflict", 0) == 0
