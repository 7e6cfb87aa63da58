"""Which rule reduces which field: schemas and merge policies, read from the schema registry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from neotoma_core.neotoma.json import JsonValue, NotJson, number_text, parse_json, stringify

TieBreaker = Literal["observed_at", "source_priority"]

DEFAULT_SOURCE_ORDER: Final = (
    "sensor",
    "workflow_state",
    "llm_summary",
    "human",
    "import",
    "sync",
)
"""How observation sources rank, best first, where a schema states no order of its own.

Upstream: schema_registry.ts, DEFAULT_OBSERVATION_SOURCE_PRIORITY.
"""


_ACTIVE: Final = "1"
"""The cell of an active row; see ``cells``."""


@dataclass(frozen=True, slots=True)
class Converter:
    """One declared conversion: from a JavaScript type name to a field type, by function name."""

    source_type: str
    target_type: str
    function: str


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field of one entity type is picked and converted.

    ``strategy``: as it is declared, known or not; see ``reduce.rule_sets``. ``key_field``: by which
    merge_array_by_key tells items apart; empty where none is declared.
    """

    name: str
    type: str
    converters: tuple[Converter, ...] = ()
    strategy: str = "last_write"
    tie_breaker: TieBreaker = "observed_at"
    key_field: str = ""


@dataclass(frozen=True, slots=True)
class EntitySchema:
    """The rules of one entity type: only its ``fields`` reach a snapshot."""

    entity_type: str
    schema_version: str
    fields: Mapping[str, FieldRule]
    source_order: tuple[str, ...] = DEFAULT_SOURCE_ORDER


@dataclass(frozen=True, slots=True)
class Registry:
    """The active schemas of one database, and what about them could not be followed.

    Attributes:
        schemas: First readable active schema per (entity type, user); the user is None for
            the global scope.
        broken: (entity_type, schema_version) of the active rows that were skipped because they
            cannot be read.
    """

    schemas: Mapping[tuple[str, str | None], EntitySchema] = field(default_factory=dict)
    broken: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, object]]) -> "Registry":
        """Read the registry from rows of ``schema_registry``, as cells, in the order of rowids.

        A row whose JSON is unreadable, or whose definition has no ``fields`` object, is skipped
        for the next candidate: Neotoma would fail on every entity of the type.
        """
        schemas: dict[tuple[str, str | None], EntitySchema] = {}
        broken: list[tuple[str, str]] = []
        for row in rows:
            key = _scope_key(row)
            if key is None or key in schemas:
                continue
            schema = _read_schema(row)
            if schema is None:
                broken.append((key[0], str(row["schema_version"])))
            else:
                schemas[key] = schema
        return cls(schemas, tuple(broken))

    def schema_for(self, entity_type: str, user_id: str | None) -> EntitySchema | None:
        """Return the schema that reduces this type for this user: the user's own, else the global.

        Upstream: schema_registry.ts, loadActiveSchema (first active row in rowid order).
        """
        if user_id:
            own = self.schemas.get((entity_type, user_id))
            if own is not None:
                return own
        return self.schemas.get((entity_type, None))

    def complete_with(self, other: "Registry") -> "Registry":
        """Return this registry with the schemas of ``other`` for what it has none for."""
        added = {
            (entity_type, user): schema
            for (entity_type, user), schema in other.schemas.items()
            if self.schema_for(entity_type, user) is None
        }
        return Registry({**added, **self.schemas}, self.broken + other.broken)


def _scope_key(row: Mapping[str, object]) -> tuple[str, str | None] | None:
    """Return the type and user that an active row is for; None if it is for nobody."""
    if row["active"] != _ACTIVE:
        return None
    entity_type = str(row["entity_type"])
    if row["scope"] == "global":
        return entity_type, None
    if row["scope"] == "user" and row["user_id"]:
        return entity_type, str(row["user_id"])
    return None


def _read_schema(row: Mapping[str, object]) -> EntitySchema | None:
    """Return the schema in a row, or None where it cannot be read."""
    definition = _json_object(row["schema_definition"])
    config = _json_object(row["reducer_config"])
    if definition is None or config is None:
        return None
    declared = definition.get("fields")
    if not isinstance(declared, dict):
        return None
    policies = _as_object(config.get("merge_policies"))
    fields = {
        name: _field_rule(name, _as_object(spec), _as_object(policies.get(name)))
        for name, spec in declared.items()
    }
    named = str(row["entity_type"]), str(row["schema_version"])
    return EntitySchema(*named, fields, _source_order(config))


def _field_rule(
    name: str, spec: Mapping[str, JsonValue], policy: Mapping[str, JsonValue]
) -> FieldRule:
    strategy = policy.get("strategy") or "last_write"
    tie_breaker = policy.get("tie_breaker") or "observed_at"
    return FieldRule(
        name=name,
        type=_text(spec.get("type")),
        converters=_converters(spec.get("converters")),
        strategy=strategy if isinstance(strategy, str) else stringify(strategy),
        tie_breaker="observed_at" if tie_breaker == "observed_at" else "source_priority",
        key_field=_property_name(policy.get("key_field")),
    )


def _converters(declared: JsonValue) -> tuple[Converter, ...]:
    if not isinstance(declared, list):
        return ()
    return tuple(
        Converter(_text(c.get("from")), _text(c.get("to")), _text(c.get("function")))
        for c in declared
        if isinstance(c, dict)
    )


def _source_order(config: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Return the schema's own ranking; an empty one is a ranking in which all are equal."""
    order = config.get("observation_source_priority")
    if not isinstance(order, list):
        return DEFAULT_SOURCE_ORDER
    return tuple(source for source in order if isinstance(source, str))


def _json_object(text: object) -> dict[str, JsonValue] | None:
    """Return a column's JSON object, or None where the column holds anything else."""
    try:
        value = parse_json(text) if isinstance(text, str) else None
    except NotJson:
        return None
    return value if isinstance(value, dict) else None


def _as_object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _property_name(value: JsonValue) -> str:
    """Return the name of the property that JavaScript takes a value for; empty for a false one."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "[object Object]"
    if not value:
        return ""
    if isinstance(value, bool):
        return "true"
    if isinstance(value, int | float):
        return number_text(value)
    return ",".join("" if one is None else _property_name(one) for one in value)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
