"""Which rules a database is reduced by."""

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.neotoma.schemas import EntitySchema, Registry
from neotoma_core.reduce.exact.rule_sets import KNOWN, R22, R22_MERGED, R23, R26, RuleSet
from neotoma_core.snapshots.choosing import AUTO, NAMES, choose_rules, require_rules

SERVED = Registry(
    {(name, None): EntitySchema(name, "1.0", {}) for name in ("submission_config", "peer_config")}
)
OLD = ("observations", "entities", "idx_observations_entity_id")


@pytest.mark.parametrize(
    ("names", "registry", "rules", "told"),
    [
        (OLD, SERVED, R22, "nothing of a Neotoma later than v0.22.1"),
        (OLD, Registry(), R22_MERGED, "nothing of a Neotoma later than v0.22.1"),
        ((*OLD, "idx_entity_snapshots_user_type"), SERVED, R23, "idx_entity_snapshots_user_type"),
        ((*OLD, "relationship_type_registry"), Registry(), R23, "relationship_type_registry"),
        ((*OLD, "notes_of_somebody"), SERVED, R22, "nothing of a Neotoma later"),
    ],
)
def test_the_newest_released_unless_no_newer_one_ever_opened_it(
    names: tuple[str, ...], registry: Registry, rules: RuleSet, told: str
) -> None:
    choice = choose_rules(AUTO, names, registry)
    assert (choice.rules, choice.accepts) == (rules, True)
    assert told in choice.why
    assert {choice.rules, *choice.others} == set(KNOWN)


@pytest.mark.parametrize(
    ("asked", "registry", "rules"),
    [
        ("0.22", SERVED, R22),
        ("0.22", Registry(), R22_MERGED),
        ("0.23", SERVED, R23),
        ("main", Registry(), R26),
    ],
)
def test_named_rules_are_taken_and_explain_alone(
    asked: str, registry: Registry, rules: RuleSet
) -> None:
    choice = choose_rules(asked, OLD, registry)
    assert (choice.rules, choice.accepts, choice.why) == (rules, False, "asked for")


@pytest.mark.parametrize("asked", ["9.9", "", "Main", "0.22, as its merge reads"])
def test_a_name_that_is_none_is_refused_with_those_there_are(asked: str) -> None:
    with pytest.raises(UsageError, match=r"there are auto, 0\.22, 0\.23, main"):
        require_rules(asked)
    assert [require_rules(name) for name in NAMES] == list(NAMES)
