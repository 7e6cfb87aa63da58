"""Entity snapshots: one fact of the format document, section 4.1 and 4.3, per test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.neotoma.schemas import Converter, EntitySchema, FieldRule, Registry
from neotoma_core.reduce.exact.failures import ReductionFails
from neotoma_core.reduce.exact.reading import (
    EntitySnapshotRow,
    ObservationRow,
    canonical_name,
    is_readable,
    reduce_entity,
)
from neotoma_core.reduce.exact.rule_sets import R22, R22_MERGED
from neotoma_core.reduce.exact.users import NOBODY, Owner

MONDAY, TUESDAY, WEDNESDAY = (f"2026-02-0{day}T10:00:00.000Z" for day in (2, 3, 4))
NO_SCHEMAS = Registry()


def observation(
    id: str,  # noqa: A002
    fields: str | None,
    *,
    at: str = MONDAY,
    priority: float | None = 100,
    source: str | None = None,
    entity_type: str = "note",
    version: str = "1.0",
    user_id: str | None = "u",
) -> ObservationRow:
    return ObservationRow(
        *(id, "e", entity_type, version, at, None, priority, source, fields, user_id, at, 0)
    )


def registry(*rules: FieldRule) -> Registry:
    schema = EntitySchema("note", "2.0", {rule.name: rule for rule in rules})
    return Registry({("note", None): schema})


def reduce(*rows: ObservationRow, by: Registry = NO_SCHEMAS) -> EntitySnapshotRow:
    snapshot = reduce_entity(rows, by, R22_MERGED)
    assert snapshot is not None
    return snapshot


def test_the_latest_value_of_every_field_is_kept_with_its_observation() -> None:
    got = reduce(
        observation("a", '{"x":1,"y":1.0}'), observation("b", '{"z":"é","x":2}', at=TUESDAY)
    )
    assert got == EntitySnapshotRow(
        entity_id="e",
        entity_type="note",
        schema_version="1.0",
        canonical_name=None,
        snapshot='{"z":"é","x":2,"y":1}',
        computed_at=TUESDAY,
        observation_count=2,
        last_observation_at=TUESDAY,
        provenance='{"z":"b","x":"b","y":"a"}',
        user_id="u",
    )


def test_a_value_is_converted_to_what_the_schema_says_whatever_the_strategy() -> None:
    number = (Converter("string", "number", "string_to_number"),)
    by = registry(
        FieldRule("size", "number", number), FieldRule("most", "number", number, "highest_priority")
    )
    got = reduce(observation("a", '{"size":"12.5","most":"7"}'), by=by)
    assert got.snapshot == '{"size":12.5,"most":7}'


def test_among_observations_of_one_time_the_lower_id_counts_as_later() -> None:
    assert reduce(observation("b", '{"x":2}'), observation("a", '{"x":1}')).snapshot == '{"x":1}'


def test_ids_are_compared_as_locale_compare_does() -> None:
    rows = (observation("obs-1", '{"x":1}'), observation("obs_1", '{"x":2}'))
    assert reduce(*rows).snapshot == '{"x":2}'


def test_microseconds_do_not_decide() -> None:
    earlier = observation("a", '{"x":1}', at="2026-02-02T10:00:00.000001Z")
    later = observation("b", '{"x":2}', at="2026-02-02T10:00:00.000999Z")
    assert reduce(earlier, later).snapshot == '{"x":1}'


def test_times_are_compared_as_instants_and_kept_as_text() -> None:
    in_berlin = observation("a", '{"x":1}', at="2026-02-02T10:30:00+01:00")
    assert reduce(in_berlin, observation("b", '{"x":2}')).computed_at == MONDAY


def test_a_null_clears_a_field() -> None:
    got = reduce(observation("a", '{"x":1,"y":1}'), observation("b", '{"x":null}', at=TUESDAY))
    assert (got.snapshot, got.provenance) == ('{"y":1}', '{"y":"a"}')


def test_array_indices_come_first_in_snapshot_and_provenance() -> None:
    got = reduce(observation("a", '{"b":1,"10":2,"2":3}'))
    assert got.snapshot == '{"2":3,"10":2,"b":1}'
    assert got.provenance == '{"2":"a","10":"a","b":"a"}'


def test_a_field_named_like_the_prototype_never_reaches_the_snapshot() -> None:
    assert reduce(observation("a", '{"__proto__":1,"x":2}')).snapshot == '{"x":2}'


def test_an_empty_snapshot_is_a_snapshot() -> None:
    assert reduce(observation("a", "{}")).snapshot == "{}"


def test_a_tombstone_of_highest_priority_deletes() -> None:
    tombstone = observation("b", '{"_deleted":true}', at=TUESDAY, priority=1000)
    assert reduce_entity([observation("a", '{"x":1}'), tombstone], NO_SCHEMAS, R22_MERGED) is None


@pytest.mark.parametrize("value", ["1", '"true"', "false", "null"])
def test_only_a_true_deletes(value: str) -> None:
    gone = observation("a", f'{{"_deleted":{value}}}')
    assert reduce_entity([gone], NO_SCHEMAS, R22_MERGED) is not None


def test_a_later_correction_revives() -> None:
    tombstone = observation("a", '{"_deleted":true}', priority=1000)
    correction = observation("b", '{"x":1}', at=TUESDAY, priority=1000)
    assert reduce(tombstone, correction).snapshot == '{"x":1,"_deleted":true}'


def test_a_classified_write_of_equal_priority_beats_a_tombstone() -> None:
    tombstone = observation("a", '{"_deleted":true}', at=TUESDAY)
    assert reduce_entity([tombstone, observation("b", "{}", source="sync")], NO_SCHEMAS, R22_MERGED)


def test_a_restoration_shows_where_there_is_no_schema() -> None:
    tombstone = observation("a", '{"_deleted":true}', priority=1000)
    restoration = observation("b", '{"_deleted":false}', at=TUESDAY, priority=1001)
    assert reduce(tombstone, restoration).snapshot == '{"_deleted":false}'


def test_a_schema_lets_its_own_fields_through_and_gives_its_version() -> None:
    by = registry(FieldRule("x", "number"))
    got = reduce(observation("a", '{"x":1,"y":2}', version="7"), by=by)
    assert (got.snapshot, got.schema_version) == ('{"x":1}', "2.0")


def test_the_first_row_in_text_order_decides_type_user_and_version() -> None:
    other = observation(
        *("b", "{}"), at="2026-02-02T10:00:00+05:00", entity_type="task", version="", user_id="v"
    )
    got = reduce(other, observation("a", "{}"))
    assert (got.entity_type, got.user_id, got.schema_version) == ("note", "u", "1.0")
    assert reduce(other).schema_version == "1.0"


def test_the_name_is_the_first_field_that_names_and_is_not_blank() -> None:
    assert canonical_name({"name": "n", "title": " t\u00a0", "canonical_name": "  "}) == "t"
    assert canonical_name({"name": "n", "canonicalName": "c", "title": 7}) == "c"
    assert canonical_name({"name": ["n"]}) is None


@pytest.mark.parametrize("fields", [None, "", "{", "null", "[1]", '"x"', "7"])
def test_fields_that_are_no_object_are_not_readable(fields: str | None) -> None:
    row = observation("a", fields)
    assert not is_readable(row)
    with pytest.raises(ValueError, match="readable observation"):
        reduce_entity([row], NO_SCHEMAS, R22_MERGED)


def test_rows_that_are_not_readable_count_for_whose_newest_is_newest() -> None:
    mine = observation("a", '{"x":1}', user_id="u")
    theirs = observation("b", '{"x":2}', user_id="v")
    torn = observation("c", "{", at=TUESDAY, user_id="v")
    got = reduce_entity([mine, theirs, torn], NO_SCHEMAS, R22_MERGED)
    assert got is not None
    assert (got.user_id, got.observation_count) == ("v", 1)


def test_the_row_stays_its_owners_though_another_user_observed_later() -> None:
    mine, theirs = observation("a", '{"x":1}'), observation("b", '{"x":2}', at=TUESDAY, user_id="v")
    kept = reduce_entity([mine, theirs], NO_SCHEMAS, R22_MERGED, ("u",))
    assert kept is not None
    assert (kept.user_id, kept.snapshot) == ("u", '{"x":1}')
    new = reduce_entity([mine, theirs], NO_SCHEMAS, R22_MERGED)
    assert new is not None
    assert (new.user_id, new.snapshot) == ("v", '{"x":2}')


def test_one_users_deletion_takes_away_nothing_of_anothers() -> None:
    mine = observation("a", '{"x":1}')
    gone = observation("b", '{"_deleted":true}', at=TUESDAY, user_id="v", priority=1000)
    kept = reduce_entity([mine, gone], NO_SCHEMAS, R22_MERGED, ("v",))
    assert kept is not None
    assert (kept.user_id, kept.snapshot) == ("u", '{"x":1}')


def test_where_neotoma_throws_on_one_user_another_has_the_snapshot_but_not_the_owners() -> None:
    by = registry(FieldRule("f", "number", (), "no such strategy"))
    throwing = observation("a", '{"f":1}', at=TUESDAY, user_id="ann")
    other, gone = (
        observation("b", fields, user_id="bob") for fields in ("{}", '{"_deleted":true}')
    )
    snapshot = reduce_entity([throwing, other], by, R22_MERGED)
    assert snapshot is not None
    assert snapshot.user_id == "bob"
    ann: Owner = ("ann",)
    for rows, owner in (([throwing, other], ann), ([throwing, gone], NOBODY), ([throwing], NOBODY)):
        with pytest.raises(ReductionFails):
            reduce_entity(rows, by, R22_MERGED, owner)


def test_a_real_user_comes_before_none() -> None:
    nobodys = observation("b", '{"x":2}', at=TUESDAY, user_id=None)
    got = reduce_entity([observation("a", '{"x":1}'), nobodys], NO_SCHEMAS, R22_MERGED)
    assert got is not None
    assert got.user_id == "u"


def test_the_servers_own_recomputation_takes_the_type_of_the_least_priority() -> None:
    first = observation("b", '{"x":1}', at=TUESDAY, entity_type="task", priority=5)
    correction = observation("a", '{"x":2}', at=WEDNESDAY, entity_type="other", priority=1000)
    got = reduce_entity([correction, first], NO_SCHEMAS, R22)
    assert got is not None
    assert (got.entity_type, got.snapshot) == ("task", '{"x":2}')
    merged = reduce_entity([correction, first], NO_SCHEMAS, R22_MERGED)
    assert merged is not None
    assert merged.entity_type == "other"


def test_an_object_is_readable() -> None:
    assert is_readable(observation("a", "{}"))


def test_an_entity_without_observations_cannot_be_reduced() -> None:
    with pytest.raises(ValueError, match="readable observation"):
        reduce_entity([], NO_SCHEMAS, R22_MERGED)


def test_no_value_of_a_field_is_in_a_message() -> None:
    with pytest.raises(ValueError, match="readable observation") as caught:
        reduce_entity([observation("a", '{"x":"planted secret"')], NO_SCHEMAS, R22_MERGED)
    assert "planted" not in repr(caught.value)
    assert caught.value.__context__ is None


@given(
    st.permutations(
        [
            observation("a", '{"x":1}', at="no date"),
            observation("b", '{"x":2,"y":1}', at=TUESDAY, priority=None),
            observation("c", '{"x":3}', at=WEDNESDAY, priority=0),
            observation("d", '{"y":null}', at="", priority=5),
        ]
    )
)
def test_the_order_of_rows_never_changes_a_snapshot(rows: list[ObservationRow]) -> None:
    by = registry(FieldRule("x", "number", (), "highest_priority"), FieldRule("y", "number"))
    assert reduce_entity(rows, by, R22_MERGED) == reduce_entity(
        sorted(rows, key=lambda row: row.id), by, R22_MERGED
    )
