"""What the rules of other releases may read differently: nothing else do they read differently."""

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neotoma_core.lineage.merged_away import MergedAway
from neotoma_core.reduce.exact.rule_sets import KNOWN, RuleSet
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
