"""The vectorised reducer of relationships: it agrees with the exact one."""

from collections.abc import Mapping
from dataclasses import asdict

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neotoma_core.reduce.exact.relationships import (
    readable_metadata,
    reduce_relationship,
)
from neotoma_core.reduce.exact.users import Owner
from neotoma_core.reduce.reduction import Reduction
from neotoma_core.reduce.relationships import reduce_relationships
from neotoma_core.reduce.users import no_owners
from tests.support.reducing import relationship_rows
from tests.support.strategies import RELATIONSHIP_OBSERVATION, relationship_observations

NOW = "2026-03-11T11:20:04.000Z"
USERS = st.one_of(st.none(), st.tuples(st.sampled_from(("u1", "u2", "u3", None))))
OWNERS = st.dictionaries(st.sampled_from(("r1", "r2")), USERS)
SLOW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def by_key(reduction: Reduction) -> dict[str, dict[str, object]]:
    return {row["relationship_key"]: row for row in reduction.snapshots.to_dicts()}


def exactly(
    observations: pl.DataFrame, owners: Mapping[str, Owner]
) -> dict[str, dict[str, object]]:
    """Return what the exact reducer makes of the readable observations."""
    rows = list(relationship_rows(observations))
    expected: dict[str, dict[str, object]] = {}
    for key in {row.relationship_key for row in rows}:
        whose = owners.get(key)
        theirs = [row for row in rows if row.relationship_key == key]
        own = [row for row in theirs if readable_metadata(row)]
        unread = {row.user_id for row in theirs} - {row.user_id for row in own}
        if whose is not None and whose[0] in unread:
            continue  # nothing better than what is there is known
        snapshot = reduce_relationship(theirs, whose, now=NOW) if own else None
        if snapshot is not None:
            expected[key] = asdict(snapshot)
    return expected


@SLOW
@given(relationship_observations(), OWNERS)
def test_it_agrees_with_the_exact_reducer(
    observations: pl.DataFrame, owners: dict[str, Owner]
) -> None:
    rows = [(key, *owner) for key, owner in owners.items() if owner is not None]
    there = pl.DataFrame(rows, schema=no_owners("relationship_key").schema, orient="row")
    reduction = reduce_relationships(observations, there, now=NOW)
    expected = exactly(observations, owners)
    assert by_key(reduction) == expected
    assert set(reduction.unreduced["relationship_key"]) == (
        set(observations["relationship_key"]) - expected.keys()
    )


@SLOW
@given(relationship_observations(), st.randoms(use_true_random=False))
def test_row_order_does_not_matter(observations: pl.DataFrame, random: object) -> None:
    shuffled = observations.sample(fraction=1, shuffle=True, seed=random.randrange(1000))  # type: ignore[attr-defined]
    assert by_key(reduce_relationships(observations, now=NOW)) == by_key(
        reduce_relationships(shuffled, now=NOW)
    )


def reduce(*rows: tuple[str, str, int | None, str | None]) -> Reduction:
    """Reduce (id, observed_at, source_priority, metadata) of one relationship."""
    cells = [
        (id_, "r", "PART_OF", "e1", "e2", at, priority, metadata, "u", at, number)
        for number, (id_, at, priority, metadata) in enumerate(rows, 1)
    ]
    observations = pl.DataFrame(cells, RELATIONSHIP_OBSERVATION, orient="row", strict=False)
    return reduce_relationships(observations, now=NOW)


MONDAY, TUESDAY = "2026-02-02T10:00:00.000Z", "2026-02-03T10:00:00.000Z"


def test_a_null_is_no_value() -> None:
    got = reduce(("a", MONDAY, 1, '{"x":1}'), ("b", TUESDAY, 1, '{"x":null,"y":2}'))
    assert got.snapshots["snapshot"].to_list() == ['{"x":1,"y":2}']
    assert got.snapshots["provenance"].to_list() == ['{"x":"a","y":"b"}']


def test_a_key_that_is_only_ever_null_leaves_no_snapshot() -> None:
    got = reduce(("a", MONDAY, 1, '{"x":null}'))
    assert (got.snapshots.height, got.unreduced["relationship_key"].to_list()) == (0, ["r"])


def test_no_metadata_beside_metadata_leaves_no_snapshot() -> None:
    assert reduce(("a", MONDAY, 1, None), ("b", TUESDAY, 1, '{"x":1}')).snapshots.is_empty()


def test_no_metadata_at_all_is_an_empty_snapshot() -> None:
    assert reduce(("a", MONDAY, 1, None)).snapshots["snapshot"].to_list() == ["{}"]


def test_the_highest_priority_decides_whether_it_is_live() -> None:
    tombstone = ("a", MONDAY, 1000, '{"_deleted":true}')
    assert reduce(tombstone, ("b", TUESDAY, 100, "{}")).snapshots["is_live"].to_list() == [0]
    assert reduce(tombstone, ("b", TUESDAY, 1000, "{}")).snapshots["is_live"].to_list() == [1]


def test_unreadable_metadata_are_left_out_and_told() -> None:
    got = reduce(("a", MONDAY, 1, "[1]"), ("b", TUESDAY, 1, '{"x":1}'))
    assert got.unreadable.rows(named=True) == [
        {"relationship_key": "r", "reason": "is not a JSON object", "observation_id": "a"}
    ]
    assert got.snapshots["observation_count"].to_list() == [1]
