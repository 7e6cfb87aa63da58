"""The vectorised reducer of entities: it agrees with the exact one, whatever it is given."""

from collections.abc import Mapping
from dataclasses import asdict

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neotoma_core.neotoma.cells import cell_of_javascript
from neotoma_core.neotoma.schemas import EntitySchema, FieldRule, Registry
from neotoma_core.reduce import reduction
from neotoma_core.reduce.entities import reduce_entities
from neotoma_core.reduce.exact.failures import ReductionFails
from neotoma_core.reduce.exact.reading import is_readable, reduce_entity
from neotoma_core.reduce.exact.rule_sets import KNOWN, R22, R23, RuleSet
from neotoma_core.reduce.exact.users import Owner
from neotoma_core.reduce.reduction import Reduction
from neotoma_core.reduce.users import no_owners
from tests.support.reducing import observation_rows
from tests.support.strategies import OBSERVATION, entity_observations, registry

REGISTRY = registry()
RULES = st.sampled_from(KNOWN)
USERS = st.one_of(st.none(), st.tuples(st.sampled_from(("u1", "u2", "u3", None))))
OWNERS = st.dictionaries(st.sampled_from(("e1", "e2", "E1")), USERS)
NO_OWNERS: Mapping[str, Owner] = {}
MONDAY, TUESDAY = "2026-02-02T10:00:00.000Z", "2026-02-03T10:00:00.000Z"
SLOW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))

Snapshots = dict[str, dict[str, object] | None]


def by_entity(got: Reduction) -> Snapshots:
    """Return entity snapshots by entity; None for deleted entities."""
    snapshots: Snapshots = dict.fromkeys(got.deleted["entity_id"])
    snapshots.update({row["entity_id"]: row for row in got.snapshots.to_dicts()})
    return snapshots


def exactly(
    observations: pl.DataFrame, rules: RuleSet, owners: Mapping[str, Owner] = NO_OWNERS
) -> Snapshots:
    """Return what the exact reducer makes of the readable observations."""
    rows = list(observation_rows(observations))
    expected: Snapshots = {}
    for entity_id in {row.entity_id for row in rows}:
        own = [row for row in rows if row.entity_id == entity_id]
        whose = owners.get(entity_id)
        unread = {row.user_id for row in own} - {row.user_id for row in own if is_readable(row)}
        if whose is not None and whose[0] in unread:
            continue  # nothing better than what is there is known
        legible = any(is_readable(row) for row in own)
        try:
            row = reduce_entity(own, REGISTRY, rules, whose) if legible else None
        except ReductionFails:
            continue  # nor here
        if row is not None:
            expected[entity_id] = {k: _store(v) for k, v in asdict(row).items()}
        elif not unread:
            expected[entity_id] = None
    return expected


def _store(value: object) -> object:
    return cell_of_javascript(value) if isinstance(value, str) else value


@SLOW
@given(entity_observations(), RULES, OWNERS)
def test_it_agrees_with_the_exact_reducer(
    observations: pl.DataFrame, rules: RuleSet, owners: dict[str, Owner]
) -> None:
    rows = [(entity, *owner) for entity, owner in owners.items() if owner is not None]
    there = pl.DataFrame(rows, schema=no_owners("entity_id").schema, orient="row")
    got = reduce_entities(observations, REGISTRY, rules, there)
    assert by_entity(got) == exactly(observations, rules, owners)


@SLOW
@given(entity_observations(), st.integers(0, 1000))
def test_row_order_does_not_matter(observations: pl.DataFrame, seed: int) -> None:
    shuffled = observations.sample(fraction=1, shuffle=True, seed=seed)
    first, second = (reduce_entities(rows, REGISTRY, R22) for rows in (observations, shuffled))
    assert by_entity(first) == by_entity(second)


@SLOW
@given(entity_observations(), RULES)
def test_every_entity_is_accounted_for_once(observations: pl.DataFrame, rules: RuleSet) -> None:
    got = reduce_entities(observations, REGISTRY, rules)
    told = pl.concat([part["entity_id"] for part in (got.snapshots, got.deleted, got.unreduced)])
    assert sorted(told) == sorted(observations["entity_id"].unique())
    assert set(got.failed["entity_id"]) <= set(got.unreduced["entity_id"])


def test_cutting_into_slices_does_not_change_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    observations = state(
        *((f"{i:x}", f"e{i // 3}", MONDAY, i, f'{{"list":["{i % 2}"]}}') for i in range(30))
    )
    whole = by_entity(reduce_entities(observations, REGISTRY, R22))
    monkeypatch.setattr(reduction, "_SLICE_ROWS", 4)
    assert by_entity(reduce_entities(observations, REGISTRY, R22)) == whole
    assert len(whole) == 10


def state(*rows: tuple[str, str, str, int | None, str | None]) -> pl.DataFrame:
    """Return observations of probes: (id, entity_id, observed_at, source_priority, fields)."""
    cells = [
        (id_, entity_id, "probe", "1.0", at, "1.0", priority, "human", fields, "u1", at, number)
        for number, (id_, entity_id, at, priority, fields) in enumerate(rows, 1)
    ]
    return pl.DataFrame(cells, schema=OBSERVATION, orient="row", strict=False)


def snapshot_of(*rows: tuple[str, str, str, int | None, str | None]) -> str:
    snapshots = reduce_entities(state(*rows), REGISTRY, R22).snapshots
    return str(snapshots["snapshot"].item())


def test_array_indices_come_first_and_then_fields_as_met() -> None:
    fields = ("a", "e", MONDAY, 1, '{"name":"n","10":1,"latest":2,"2":3}')
    assert snapshot_of(fields) == '{"2":3,"10":1,"name":"n","latest":2}'


def test_an_explicit_null_clears_a_field() -> None:
    assert (
        snapshot_of(
            ("a", "e", MONDAY, 1, '{"latest":1,"name":"n"}'),
            ("b", "e", TUESDAY, 1, '{"latest":null}'),
        )
        == '{"name":"n"}'
    )


def test_a_correction_after_a_deletion_revives_an_entity() -> None:
    tombstone = ("a", "e", MONDAY, 1000, '{"_deleted":true}')
    assert reduce_entities(state(tombstone), REGISTRY, R22).deleted["entity_id"].to_list() == ["e"]
    revived = reduce_entities(state(tombstone, ("b", "e", TUESDAY, 1000, "{}")), REGISTRY, R22)
    assert revived.snapshots["entity_id"].to_list() == ["e"]


def test_a_deletion_outranks_an_observation_without_priority() -> None:
    rows = state(("a", "e", MONDAY, 1000, '{"_deleted":true}'), ("b", "e", TUESDAY, None, "{}"))
    assert reduce_entities(rows, REGISTRY, R22).deleted["entity_id"].to_list() == ["e"]


def test_what_javascript_compares_oddly_is_left_to_the_exact_reducer() -> None:
    observations = state(
        ("a", "null and zero", MONDAY, None, "{}"),
        ("b", "null and zero", MONDAY, 0, "{}"),
        ("c", "no date", "soon", 1, "{}"),
        ("d", "key twice", MONDAY, 1, '{"latest":1,"latest":2}'),
        ("e", "only null", MONDAY, None, "{}"),
    )
    got = reduce_entities(observations, REGISTRY, R22)
    assert (got.exact, got.snapshots.height) == (3, 4)


def test_what_is_no_object_is_left_out_and_told() -> None:
    got = reduce_entities(
        state(("a", "e", MONDAY, 1, '{"latest":1}'), ("b", "e", TUESDAY, 1, '{"latest":2,}')),
        REGISTRY,
        R22,
    )
    assert got.unreadable.rows(named=True) == [
        {"entity_id": "e", "reason": "is not JSON", "observation_id": "b"}
    ]
    assert got.snapshots["snapshot"].to_list() == ['{"latest":1}']


def test_an_entity_without_readable_observation_is_told_and_has_no_snapshot() -> None:
    got = reduce_entities(state(("a", "e", MONDAY, 1, None)), REGISTRY, R22)
    assert (got.unreduced["entity_id"].to_list(), got.snapshots.height) == (["e"], 0)


def test_types_without_schema_are_told_with_their_entities() -> None:
    got = reduce_entities(
        state(("a", "e", MONDAY, 1, "{}"), ("b", "f", MONDAY, 1, "{}")), Registry(), R22
    )
    assert got.schemaless.rows() == [("probe", 2)]


def test_fields_unknown_to_the_schema_stay_out_of_a_snapshot() -> None:
    known = Registry({("probe", None): EntitySchema("probe", "2", {"x": FieldRule("x", "string")})})
    got = reduce_entities(state(("a", "e", MONDAY, 1, '{"y":1,"x":2}')), known, R22)
    assert got.snapshots["snapshot"].to_list() == ['{"x":2}']


def state_keyed(*rows: tuple[str, str, str, int | None, str | None]) -> pl.DataFrame:
    return state(*rows).with_columns(entity_type=pl.lit("keyed"))


def test_an_entity_whose_reduction_fails_is_named_with_the_reason() -> None:
    rows = (("a", "e", MONDAY, 1, '{"special":1}'), ("b", "f", MONDAY, 1, '{"latest":1}'))
    got = reduce_entities(state_keyed(*rows), REGISTRY, R23)
    assert got.failed.rows() == [
        ("e", "unknown merge strategy of the field special: merge_somehow")
    ]
    assert got.unreduced["entity_id"].to_list() == ["e"]
    assert got.snapshots["entity_id"].to_list() == ["f"]


def test_of_a_deleted_entity_no_reduction_fails() -> None:
    gone = ("a", "e", MONDAY, 1, '{"special":1,"_deleted":true}')
    got = reduce_entities(state_keyed(gone), REGISTRY, R23)
    assert (got.failed.is_empty(), got.deleted["entity_id"].to_list()) == (True, ["e"])


def test_a_field_that_is_called_by_half_a_surrogate_pair_is_of_a_schema_like_others() -> None:
    rules = {name: FieldRule(name, "string") for name in ("x", "\ud800")}
    known = Registry({("probe", None): EntitySchema("probe", "2", rules)})
    rows = (("a", "e", MONDAY, 1, '{"x":1}'), ("b", "f", MONDAY, 1, '{"\\ud800":2,"x":1}'))
    got = reduce_entities(state(*rows), known, R22)
    found = dict(got.snapshots.select("entity_id", "snapshot").iter_rows())
    assert found == {"e": '{"x":1}', "f": '{"\\ud800":2,"x":1}'}
