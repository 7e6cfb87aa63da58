"""Why something that was observed has no snapshot."""

import polars as pl
import pytest

from neotoma_core.neotoma.frames import empty_rows
from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.reduce.exact.rule_sets import R23
from neotoma_core.snapshots.choosing import choose_rules
from neotoma_core.snapshots.deciding import ENTITY_SNAPSHOTS, RELATIONSHIP_SNAPSHOTS, Stored
from neotoma_core.snapshots.explaining import (
    CRASHED,
    MERGED,
    UNKNOWN,
    History,
    explain_entities,
    explain_relationships,
)
from neotoma_core.snapshots.reading import Rules
from tests.support.strategies import registry

REGISTRY = registry()
RULES = Rules(REGISTRY, choose_rules(R23.name, (), REGISTRY))


def nothing_stored(table: Table) -> Stored:
    return Stored(table, empty_rows(table), frozenset(table.names))


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        (["s1", "s1"], CRASHED),
        (["s1", "s2"], UNKNOWN),
        (["s1", None], UNKNOWN),
    ],
)
def test_only_what_one_store_wrote_may_be_a_crash(sources: list[str | None], why: str) -> None:
    known = BY_NAME["observations"]
    rows = pl.DataFrame(
        [
            {"entity_id": "e1", "user_id": "u1", "source_id": source, "id": f"o{number}"}
            for number, source in enumerate(sources)
        ]
    )
    log = pl.concat([empty_rows(known), rows], how="diagonal_relaxed")
    stored = nothing_stored(ENTITY_SNAPSHOTS)
    assert explain_entities(log, stored, History(RULES)) == {"e1": why}


@pytest.mark.parametrize(("survivors", "why"), [((), CRASHED), (("e2",), MERGED)])
def test_an_edge_of_a_survivor_was_moved_by_its_merge(survivors: tuple[str, ...], why: str) -> None:
    known = BY_NAME["relationship_observations"]
    edge = {
        "id": "r1",
        "relationship_key": "PART_OF:e1:e2",
        "source_entity_id": "e1",
        "target_entity_id": "e2",
        "user_id": "u1",
        "source_id": "s1",
    }
    log = pl.concat([empty_rows(known), pl.DataFrame([edge])], how="diagonal_relaxed")
    history = History(RULES, survivors=frozenset(survivors))
    stored = nothing_stored(RELATIONSHIP_SNAPSHOTS)
    assert explain_relationships(log, stored, history) == {"PART_OF:e1:e2": why}
