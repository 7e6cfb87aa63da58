"""Three-way: with a common ancestor, a difference that one side made is not a conflict."""

import polars as pl
import pytest

from neotoma_core.merge.decisions import DECISIONS
from neotoma_core.merge.plan import MergePlan, plan_merge
from neotoma_core.merge.policy import MergeMode, MergePolicy
from tests.lineage.test_lineage import EARLY, LATE
from tests.lineage.test_references import database
from tests.lineage.test_repointing import observe
from tests.merge.test_table import MODES, Rows, classes


def state(name: str, *observations: str, at: str = EARLY) -> dict[str, Rows]:
    owner: dict[str, object] = {
        "id": "e",
        "entity_type": "note",
        "canonical_name": name,
        "updated_at": at,
    }
    return {"entities": [owner], "observations": [observe(o, "e") for o in observations]}


BASE = state("base", "o1")
AS_BEFORE = state("base", "o1", "o2")
CHANGED = state("changed", "o1", "o3", at=LATE)
CHANGED_TOO = state("changed too", "o1", "o2", at=LATE)


def plan_for(mode: MergeMode, target: dict[str, Rows], *backups: dict[str, Rows]) -> MergePlan:
    return plan_merge(database(**target), [database(**b) for b in backups], MergePolicy(mode))


def name(plan: MergePlan) -> str:
    return str(plan.rows_after("entities")["canonical_name"].item())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("base_first", [True, False])
def test_what_only_the_backup_changed_is_taken(mode: MergeMode, *, base_first: bool) -> None:
    backups = [BASE, CHANGED] if base_first else [CHANGED, BASE]
    plan = plan_for(mode, AS_BEFORE, *backups)
    assert name(plan) == "changed"
    assert {"three-way"} == set(plan.conflicts["by"])
    assert classes(plan.tables["entities"].counts[backups.index(CHANGED)]) == {"three_way": 1}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("base_first", [True, False])
def test_what_only_the_target_changed_is_kept(mode: MergeMode, *, base_first: bool) -> None:
    backups = [BASE, AS_BEFORE] if base_first else [AS_BEFORE, BASE]
    plan = plan_for(mode, CHANGED, *backups)
    assert name(plan) == "changed"
    assert {"three-way"} == set(plan.conflicts["by"])


def test_what_both_changed_is_a_conflict() -> None:
    plan = plan_for("safe", CHANGED, BASE, CHANGED_TOO)
    assert name(plan) == "changed"
    assert plan.conflicts.filter(backup=1)["by"].to_list() == ["mode"]


def test_without_an_ancestor_it_is_a_conflict() -> None:
    assert plan_for("safe", AS_BEFORE, CHANGED).conflicts["by"].to_list() == ["mode"]


def test_an_ancestor_must_hold_no_row_that_a_side_lacks() -> None:
    stranger = state("base", "o1", "only here")
    assert set(plan_for("safe", AS_BEFORE, stranger, CHANGED).conflicts["by"]) == {"mode"}


def test_an_ancestor_must_not_be_ahead_of_a_side() -> None:
    renamed = state("renamed later", "o1", at=LATE)
    plan = plan_for("safe", AS_BEFORE, renamed)
    assert plan.conflicts["by"].to_list() == ["mode"]


def test_an_empty_log_is_no_ancestor() -> None:
    assert set(plan_for("safe", AS_BEFORE, state("base"), CHANGED).conflicts["by"]) == {"mode"}


FIRST = state("first", "o1")
SECOND = state("second", "o1", "o2")
STILL_SECOND = state("second", "o1", "o2", "o3")
THIRD = state("third", "o1", "o2", "o4")


@pytest.mark.parametrize("ancestors", [[FIRST, SECOND], [SECOND, FIRST]])
def test_of_two_ancestors_the_later_one_counts(ancestors: list[dict[str, Rows]]) -> None:
    plan = plan_for("safe", STILL_SECOND, *ancestors, THIRD)
    assert name(plan) == "third"
    assert plan.conflicts.filter(backup=2)["by"].to_list() == ["three-way"]


def test_a_schema_of_nobody_has_an_ancestor_like_any_row() -> None:
    def of(log: dict[str, Rows], definition: str) -> dict[str, Rows]:
        schema: dict[str, object] = {
            "id": f"random {definition}",
            "entity_type": "note",
            "schema_version": "1",
            "scope": "global",
            "schema_definition": definition,
        }
        return {**log, "schema_registry": [schema]}

    plan = plan_for("safe", of(AS_BEFORE, "old"), of(BASE, "old"), of(CHANGED, "new"))
    assert plan.rows_after("schema_registry")["schema_definition"].to_list() == ["new"]


def test_it_can_be_turned_off() -> None:
    policy = MergePolicy("safe", ancestors=False)
    backups = [database(**BASE), database(**CHANGED)]
    plan = plan_merge(database(**AS_BEFORE), backups, policy)
    assert plan.conflicts["by"].to_list() == ["mode"]


def test_keep_source_brings_an_older_state_back_when_that_is_all_there_is() -> None:
    plan = plan_for("keep-source", CHANGED, state("base", "o1"))
    assert name(plan) == "base"


@pytest.mark.parametrize(("keep", "expected"), [("source", "changed too"), ("target", "changed")])
@pytest.mark.parametrize("mode", MODES)
def test_a_decision_counts_in_every_mode(mode: MergeMode, keep: str, expected: str) -> None:
    said = pl.DataFrame([(0, "entities", "e", keep)], schema=DECISIONS, orient="row")
    backups = [database(**CHANGED_TOO)]
    plan = plan_merge(database(**CHANGED), backups, MergePolicy(mode), said)
    assert name(plan) == expected
    assert plan.conflicts.select("keep", "by").rows() == [(keep, "decision")]


def test_a_decision_on_one_row_leaves_the_others_as_they_are() -> None:
    def of(name: str) -> dict[str, Rows]:
        rows: Rows = [{"id": e, "entity_type": "note", "canonical_name": name} for e in "efg"]
        return {"entities": rows}

    said = pl.DataFrame([(0, "entities", "f", "source")], schema=DECISIONS, orient="row")
    plan = plan_merge(database(**of("here")), [database(**of("there"))], MergePolicy(), said)
    names = plan.rows_after("entities").select("id", "canonical_name").sort("id")
    assert names.rows() == [("e", "here"), ("f", "there"), ("g", "here")]
