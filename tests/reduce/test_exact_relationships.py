"""Relationship snapshots: one fact of the format document, sections 1.2 and 4.2, per test."""

import pytest

from neotoma_core.reduce.exact.relationships import (
    RelationshipObservationRow,
    RelationshipSnapshotRow,
    is_live,
    readable_metadata,
    reduce_relationship,
)

MONDAY, TUESDAY = "2026-02-02T10:00:00.000Z", "2026-02-03T10:00:00.000Z"
NOW = "2026-03-11T00:00:00.000Z"


def observation(
    id: str,  # noqa: A002
    metadata: str | None,
    *,
    at: str | None = MONDAY,
    priority: float | None = 100,
) -> RelationshipObservationRow:
    return RelationshipObservationRow(
        *(id, "PART_OF:s:t", "PART_OF", "s", "t", at, priority, metadata, "u", at, 0)
    )


def snapshot_of(*rows: RelationshipObservationRow) -> str | None:
    reduced = reduce_relationship(rows, now=NOW)
    return None if reduced is None else reduced.snapshot


def test_the_latest_value_of_every_key_is_kept_whatever_its_priority() -> None:
    rows = [
        observation("a", '{"x":1,"y":1}', priority=1000),
        observation("b", '{"x":2,"2":0}', at=TUESDAY, priority=0),
    ]
    assert reduce_relationship(rows, now=NOW) == RelationshipSnapshotRow(
        relationship_key="PART_OF:s:t",
        relationship_type="PART_OF",
        source_entity_id="s",
        target_entity_id="t",
        schema_version="1.0",
        snapshot='{"2":0,"x":2,"y":1}',
        computed_at=NOW,
        observation_count=2,
        last_observation_at=TUESDAY,
        provenance='{"2":"b","x":"b","y":"a"}',
        user_id="u",
        is_live=1,
    )


def test_a_null_is_no_value_and_clears_nothing() -> None:
    rows = (observation("a", '{"x":1}'), observation("b", '{"x":null}', at=TUESDAY))
    assert snapshot_of(*rows) == '{"x":1}'


def test_a_key_that_is_only_ever_null_leaves_no_snapshot() -> None:
    assert snapshot_of(observation("a", '{"x":1,"y":null}')) is None


def test_missing_metadata_beside_keys_leave_no_snapshot() -> None:
    assert snapshot_of(observation("a", None), observation("b", '{"x":1}')) is None


def test_metadata_missing_everywhere_leave_an_empty_snapshot() -> None:
    assert snapshot_of(observation("a", None), observation("b", "null")) == "{}"
    assert snapshot_of(observation("a", None), observation("b", "{}")) == "{}"


def test_an_observation_without_a_time_is_of_1970() -> None:
    reduced = reduce_relationship([observation("a", '{"x":1}', at=None)], now=NOW)
    assert reduced is not None
    assert reduced.last_observation_at is None
    rows = (observation("a", '{"x":1}', at=None), observation("b", '{"x":2}'))
    assert snapshot_of(*rows) == '{"x":2}'


def test_a_deleted_relationship_keeps_its_snapshot_and_is_not_live() -> None:
    reduced = reduce_relationship(
        [observation("a", '{"x":1}'), observation("b", '{"_deleted":true}', at=TUESDAY)], now=NOW
    )
    assert reduced is not None
    assert (reduced.snapshot, reduced.is_live) == ('{"_deleted":true,"x":1}', 0)


@pytest.mark.parametrize(
    ("value", "live"),
    [
        *(("true", False), ("1", False), ("1.0", False), ('"true"', False)),
        *(("false", True), ("0", True), ('"1"', True), ("null", True), ("[true]", True)),
    ],
)
def test_deleted_is_what_sqlite_takes_for_it(value: str, live: bool) -> None:  # noqa: FBT001
    assert is_live([observation("a", f'{{"_deleted":{value}}}')]) is live


def test_the_highest_priority_decides_and_then_the_latest_text() -> None:
    deletion = observation("a", '{"_deleted":true}', priority=1000)
    assert not is_live([deletion, observation("b", "{}", at=TUESDAY)])
    assert is_live([deletion, observation("b", "{}", at=TUESDAY, priority=1000)])
    assert not is_live([deletion, observation("b", "{}", at=None, priority=1000)])
    assert not is_live([deletion, observation("b", "{}", at=TUESDAY, priority=None)])


def test_times_that_decide_are_compared_as_text() -> None:
    deletion = observation("a", '{"_deleted":true}', at="2026-02-02T10:00:00+05:00")
    assert is_live([deletion, observation("b", "{}", at="2026-02-02T10:00:00.000Z")])


@pytest.mark.parametrize("metadata", ["", "{", "[1]", '"x"', "7", "false"])
def test_metadata_that_are_no_object_are_not_readable(metadata: str) -> None:
    row = observation("a", metadata)
    assert not readable_metadata(row)
    with pytest.raises(ValueError, match="readable observation"):
        reduce_relationship([row], now=NOW)


@pytest.mark.parametrize("metadata", [None, "null", "{}"])
def test_an_object_and_nothing_are_readable(metadata: str | None) -> None:
    assert readable_metadata(observation("a", metadata))


def test_a_relationship_without_observations_cannot_be_reduced() -> None:
    with pytest.raises(ValueError, match="readable observation"):
        reduce_relationship([], now=NOW)
