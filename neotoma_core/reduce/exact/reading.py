"""Entity snapshots, one entity at a time: a plain reading of Neotoma's rules.

The oracle for everything faster. Upstream: observation_reducer.ts of v0.22.0; canonical_name from
local_db_adapter.ts. How a strategy picks is in ``exact_strategies``; relationships are in
``exact_relationships``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from neotoma_core.neotoma.cells import (
    SqlValue,
    javascript_number,
    javascript_value,
    sql_order,
    with_javascript_texts,
)
from neotoma_core.neotoma.converters import convert
from neotoma_core.neotoma.json import (
    JsonValue,
    NotJson,
    collation_key,
    in_object_order,
    instant_ms,
    javascript_trim,
    parse_json,
    stringify,
)
from neotoma_core.neotoma.schemas import DEFAULT_SOURCE_ORDER, EntitySchema, FieldRule, Registry
from neotoma_core.reduce.exact.failures import ReductionFails
from neotoma_core.reduce.exact.keyed import merge_array_by_key
from neotoma_core.reduce.exact.rule_sets import RuleSet
from neotoma_core.reduce.exact.sort import sort_as_v8
from neotoma_core.reduce.exact.strategies import (
    Picked,
    Stated,
    Strategy,
    by_priority,
    by_time_and_id,
    highest_priority,
    highest_priority_recent,
    last_write,
    merge_array,
    most_specific,
)
from neotoma_core.reduce.exact.users import NOBODY, Owner, by_user

NAME_FIELDS: Final = ("canonical_name", "canonicalName", "title", "name")
"""The snapshot fields that can name an entity, best first."""

_DEFAULT_SCHEMA_VERSION: Final = "1.0"
_PROTOTYPE: Final = "__proto__"
"""Assigning to this field of a JavaScript object makes no field: it never reaches a snapshot."""


_STRATEGIES: Final[dict[str, Strategy]] = {
    "last_write": last_write,
    "most_specific": most_specific,
    "merge_array": merge_array,
    "merge_array_by_key": merge_array_by_key,
}
_BY_PRIORITY: Final = {"declared": highest_priority, "recency": highest_priority_recent}


_TEXTS: Final = (
    *("id", "entity_type", "schema_version", "observed_at", "observation_source", "fields"),
    *("user_id", "created_at"),
)
"""What JavaScript reads as text; the entity keeps its cell, which is its key."""


@dataclass(frozen=True, slots=True)
class ObservationRow:
    """What the reducer reads of a row of ``observations``: texts are cells; see ``cells``."""

    id: str
    entity_id: str
    entity_type: str
    schema_version: str
    observed_at: str
    specificity_score: SqlValue
    source_priority: SqlValue
    observation_source: str | None
    fields: str | None
    user_id: str | None
    created_at: str | None
    rowid: int


@dataclass(frozen=True, slots=True)
class EntitySnapshotRow:
    """A row of ``entity_snapshots``, its JSON text byte for byte as Neotoma writes it."""

    entity_id: str
    entity_type: str
    schema_version: str
    canonical_name: str | None
    snapshot: str
    computed_at: str
    observation_count: int
    last_observation_at: str
    provenance: str
    user_id: str | None


def is_readable(row: ObservationRow) -> bool:
    """Tell whether the row's fields are a JSON object; on any other row Neotoma fails."""
    return _fields_of(with_javascript_texts(row, _TEXTS)) is not None


def reduce_entity(
    rows: Sequence[ObservationRow], registry: Registry, rules: RuleSet, owner: Owner = NOBODY
) -> EntitySnapshotRow | None:
    """Return the snapshot of one entity, or None where no user has one: it is deleted.

    Rows: every observation of the entity, in any order, ids unique; those that are not
    ``is_readable`` are left out. Users share entities; the one row is the ``owner``'s if that one
    observed it, else that of the user with the newest observation, a real user before none (messy
    rules, b).

    Raises:
        ValueError: None of the rows is readable.
        ReductionFails: Neotoma throws on all there is, or on what the owner observed.
    """
    of_users = by_user([with_javascript_texts(row, _TEXTS) for row in rows], owner)
    legible = [own for theirs in of_users if (own := [row for row in theirs if is_readable(row)])]
    if not legible:
        raise ValueError("an entity without a readable observation has no snapshot")
    failure = None
    for own in legible:
        try:
            snapshot = reduce_for_user(own, registry, rules)
        except ReductionFails as error:
            if (own[0].user_id,) == owner:
                raise
            failure = failure or error
        else:
            if snapshot is not None:
                return snapshot
    if failure is not None:
        raise failure
    return None


def reduce_for_user(
    rows: Sequence[ObservationRow], registry: Registry, rules: RuleSet
) -> EntitySnapshotRow | None:
    """Return the snapshot of some observations as if one user made them; None where deleted.

    Raises ReductionFails where Neotoma throws.
    """
    in_order = as_read([with_javascript_texts(row, _TEXTS) for row in rows], rules)
    latest_first = sort_as_v8([_state(row) for row in in_order], by_time_and_id)
    if _is_deleted(latest_first):
        return None
    first = in_order[0]
    schema = registry.schema_for(first.entity_type, first.user_id)
    picked = _pick_fields(latest_first, schema, rules)
    snapshot = {name: pick.value for name, pick in picked.items()}
    observed_at = {row.id: row.observed_at for row in in_order}
    last_observation_at = observed_at[latest_first[0].id]
    return EntitySnapshotRow(
        entity_id=first.entity_id,
        entity_type=first.entity_type,
        schema_version=_schema_version(first, schema),
        canonical_name=canonical_name(snapshot),
        snapshot=stringify(in_object_order(snapshot)),
        computed_at=last_observation_at,
        observation_count=len(rows),
        last_observation_at=last_observation_at,
        provenance=stringify(in_object_order({n: p.provenance for n, p in picked.items()})),
        user_id=first.user_id,
    )


def as_read(rows: Sequence[ObservationRow], rules: RuleSet) -> list[ObservationRow]:
    """Return rows in the order in which Neotoma reads them; see ``rule_sets.Head``.

    The first decides entity type and, without a schema, the schema version; the order also decides
    where dates cannot be compared.
    """
    if rules.head == "index":
        return sorted(rows, key=_place_in_index)
    by_id = sorted(rows, key=lambda row: row.id)
    return sorted(by_id, key=lambda row: row.observed_at, reverse=True)


def _place_in_index(row: ObservationRow) -> tuple[object, ...]:
    return sql_order(row.source_priority), sql_order(row.observed_at), row.rowid


def canonical_name(snapshot: dict[str, JsonValue]) -> str | None:
    """Return the first name in the snapshot that is a string and not blank, trimmed."""
    for name in NAME_FIELDS:
        value = snapshot.get(name)
        if isinstance(value, str) and (trimmed := javascript_trim(value)):
            return trimmed
    return None


def _is_deleted(latest_first: Sequence[Stated]) -> bool:
    """Tell whether the observation of highest priority is a tombstone.

    Sources rank in the default order here, whatever order the schema has for its fields.
    """
    highest = sort_as_v8(latest_first, by_priority(DEFAULT_SOURCE_ORDER))[0]
    return highest.fields.get("_deleted") is True


def _pick_fields(
    latest_first: Sequence[Stated], schema: EntitySchema | None, rules: RuleSet
) -> dict[str, Picked]:
    """Return what each field of the snapshot is, in the order the fields are met.

    A field whose winner is null, an explicit clear, is left out.
    """
    met = dict.fromkeys(name for stated in latest_first for name in stated.fields)
    picked: dict[str, Picked] = {}
    for name in met:
        if name == _PROTOTYPE or (schema is not None and name not in schema.fields):
            continue
        having = [stated for stated in latest_first if name in stated.fields]
        pick = _pick(name, having, schema, rules)
        if pick.value is not None:
            picked[name] = pick
    return picked


def _pick(
    name: str, having: Sequence[Stated], schema: EntitySchema | None, rules: RuleSet
) -> Picked:
    """Return the merged and converted value of one field from the observations that have it."""
    if schema is None:
        return last_write(FieldRule(name, ""), having, DEFAULT_SOURCE_ORDER)
    rule = schema.fields[name]
    pick = strategy_of(rule, rules)(rule, having, schema.source_order)
    return pick if pick.value is None else Picked(convert(pick.value, rule), pick.provenance)


def strategy_of(rule: FieldRule, rules: RuleSet) -> Strategy:
    """Return how a field is picked by the rules; raises ReductionFails where they do not know."""
    if rule.strategy not in rules.strategies:
        raise ReductionFails(f"unknown merge strategy of the field {rule.name}: {rule.strategy}")
    if rule.strategy == "highest_priority":
        return _BY_PRIORITY[rules.ties]
    return _STRATEGIES[rule.strategy]


def _schema_version(first: ObservationRow, schema: EntitySchema | None) -> str:
    if schema is not None:
        return schema.schema_version
    return first.schema_version or _DEFAULT_SCHEMA_VERSION


def _state(row: ObservationRow) -> Stated:
    fields = _fields_of(row)
    if fields is None:
        raise ValueError("an observation whose fields are not a JSON object cannot be reduced")
    return Stated(
        id=row.id,
        instant=instant_ms(row.observed_at),
        created=None if row.created_at is None else instant_ms(row.created_at),
        place=collation_key(row.id),
        source_priority=javascript_value(row.source_priority),
        specificity_score=javascript_number(javascript_value(row.specificity_score)),
        observation_source=row.observation_source,
        fields=fields,
    )


def _fields_of(row: ObservationRow) -> dict[str, JsonValue] | None:
    try:
        value = None if row.fields is None else parse_json(row.fields)
    except NotJson:
        return None
    return value if isinstance(value, dict) else None
