"""What the rules of other releases may read differently: nothing else do they read differently."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neotoma_core.lineage.merged_away import MergedAway
from neotoma_core.neotoma.schemas import EntitySchema, FieldRule, Registry, TieBreaker
from neotoma_core.reduce.exact.rule_sets import KNOWN, R22_MERGED, R23, RuleSet
from neotoma_core.reduce.users import no_owners
from neotoma_core.snapshots.choosing import RulesChoice
from neotoma_core.snapshots.reading import Rules, differing, may_differ, read_otherwise, reduce_live
from tests.support.strategies import entity_observations, registry

REGISTRY = registry()
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
AWAY = MergedAway(
    pl.DataFrame({"entity_id": ["e2"], "merged_at": [None]}, schema=MergedAway().entities.schema),
    pl.DataFrame({"entity_id": ["e2"], "user_id": ["u1"]}),
)
SETS = st.sampled_from(KNOWN)


def rules_of(rules: RuleSet) -> Rules:
    others = tuple(other for other in KNOWN if other != rules)
    return Rules(REGISTRY, RulesChoice(rules, others, accepts=True, why=""), AWAY)


def make(observations: pl.DataFrame, rules: Rules) -> dict[str, tuple[object, ...]]:
    """Return what becomes of every entity: its snapshot, or why there is none."""
    reduction = reduce_live(observations, rules, no_owners("entity_id"))
    found = {row["entity_id"]: tuple(row.values()) for row in reduction.snapshots.to_dicts()}
    found |= dict.fromkeys(reduction.deleted["entity_id"], ("deleted",))
    return found | dict.fromkeys(reduction.unreduced["entity_id"], ("unreduced",))


@SLOW
@given(entity_observations(), SETS, SETS)
def test_of_all_others_two_rule_sets_make_the_same(
    observations: pl.DataFrame, this: RuleSet, other: RuleSet
) -> None:
    rules = rules_of(this)
    asked = set(may_differ(observations, rules, other))
    ours, theirs = make(observations, rules), make(observations, rules.reduce_by(other))
    unlike = {name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)}
    assert unlike <= asked


@SLOW
@given(entity_observations(), SETS)
def test_what_is_said_to_differ_is_what_differs(observations: pl.DataFrame, this: RuleSet) -> None:
    rules = rules_of(this)
    nobody = no_owners("entity_id")
    reduction = reduce_live(observations, rules, nobody)
    others = list(read_otherwise(observations, rules, nobody))
    told = set(differing(reduction, others, this).rows())
    expected = set()
    ours = {row["entity_id"]: row for row in reduction.snapshots.to_dicts()}
    for other in rules.others:
        if other.name != this.name:
            again = reduce_live(observations, rules.reduce_by(other), nobody).snapshots.to_dicts()
            theirs = {row["entity_id"]: row for row in again}
            names = {*ours, *theirs}
            expected |= {(n, other.name) for n in names if ours.get(n) != theirs.get(n)}
    assert told == expected


def make_row(entity: str, number: int, priority: str, source: str, day: int) -> dict[str, object]:
    time = f"2026-01-0{day}T00:00:00.000Z"
    return {
        "_rowid": number,
        "id": f"{entity}-{number}",
        "entity_id": entity,
        "entity_type": "ranked",
        "schema_version": "1",
        "observed_at": time,
        "created_at": time,
        "source_priority": priority,
        "observation_source": source,
        "specificity_score": None,
        "fields": '{"amount":1}',
        "user_id": "u1",
    }


@pytest.mark.parametrize("tie_breaker", ["source_priority", "observed_at"])
def test_what_no_tie_breaker_decides_is_not_asked(tie_breaker: TieBreaker) -> None:
    field = FieldRule("amount", "number", strategy="highest_priority", tie_breaker=tie_breaker)
    schema = EntitySchema("ranked", "1", {"amount": field})
    rows = [
        make_row("priorities", 1, "100", "human", 1),
        make_row("priorities", 2, "200", "human", 1),
        make_row("sources", 3, "100", "human", 1),
        make_row("sources", 4, "100", "sensor", 1),
        make_row("days", 5, "100", "human", 1),
        make_row("days", 6, "100.0", "human", 2),
        make_row("none", 7, "100", "human", 1),
        make_row("none", 8, "100", "human", 1),
        make_row("unranked", 9, "-0.0", "a", 1),
        make_row("unranked", 10, "0", "b", 1),
    ]
    rules = replace(rules_of(R22_MERGED), registry=Registry({("ranked", None): schema}))
    asked = set(may_differ(pl.DataFrame(rows), rules, R23))
    days = {"days"} if tie_breaker == "source_priority" else set()
    assert asked == {"none", "unranked", *days}
