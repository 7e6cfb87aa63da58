"""What does not leave the database, and how: dropped, or as a salted hash.

Secrets go by rule: every field of the types that hold credentials, and every field that any schema
marks with a ``sensitivity_class``. More is named by the user, as ``TYPE.FIELD`` or, for the hash,
``TYPE.FIELD=hash``; ``*`` is every type. What the rules drop no user can have hashed instead.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from neotoma_core.errors import UsageError
from neotoma_core.export.names import field_text
from neotoma_core.neotoma.json import JsonValue, NotJson, parse_json, stringify
from neotoma_core.words.nearest import nearest_named

How = Literal["drop", "hash"]

SECRET_TYPES: Final = frozenset(
    {"peer_config", "subscription", "guest_access_token", "agent_grant"}
)
"""Types whose fields are credentials (format, 1.1)."""

NAME_FIELDS: Final = ("canonical_name", "canonicalName", "title", "name")
_ANY: Final = "*"
_NOT_SENSITIVE: Final = frozenset({"", "none", "public"})
_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Redactions:
    """What is left out. ``fields``: (entity type, field's text) → how; ``*`` is every type."""

    fields: Mapping[tuple[str, str], How] = field(default_factory=dict)

    def of(self, entity_type: str, name: str) -> How | None:
        """Return what happens to a field, by its text; None for nothing."""
        if entity_type in SECRET_TYPES:
            return "drop"
        own, every = self.fields.get((entity_type, name)), self.fields.get((_ANY, name))
        return "drop" if "drop" in (own, every) else own or every

    def touches(self, entity_type: str) -> bool:
        """Return whether any field of a type may be redacted."""
        named = any(owner in (entity_type, _ANY) for owner, _ in self.fields)
        return entity_type in SECRET_TYPES or named

    def keeps_name(self, entity_type: str) -> bool:
        """Return whether the canonical name may be shown, which repeats what fields say.

        The registry derives names from any field, so no type that is redacted keeps its own.
        """
        return not self.touches(entity_type)

    def list_all(self) -> list[tuple[str, str, How]]:
        """Return (entity type, field, how) of everything that is redacted, sorted."""
        named = [(owner, name, how) for (owner, name), how in self.fields.items()]
        return sorted([*named, *((owner, _ANY, "drop") for owner in SECRET_TYPES)])


def redactions_of(asked: Iterable[str], schemas: Iterable[Mapping[str, object]]) -> Redactions:
    """Return what is left out; ``schemas``: rows of ``schema_registry``, active or not.

    Raises UsageError for what names no field.
    """
    fields: dict[tuple[str, str], How] = {}
    for text in asked:
        entity_type, name, how = _parse_redaction(text)
        fields[entity_type, name] = how
    for entity_type, name in sensitive_fields(schemas):
        fields[entity_type, name] = "drop"
    return Redactions(fields)


def _parse_redaction(text: str) -> tuple[str, str, How]:
    """Return type, field and how of a redaction as a user writes it; raises UsageError."""
    named, _, how = text.partition("=")
    entity_type, dot, name = named.partition(".")
    if not dot or not entity_type or not name or how not in ("", "drop", "hash"):
        raise UsageError(f"--redact {text}: names no field; write TYPE.FIELD, or TYPE.FIELD=hash")
    return entity_type, field_text(name), "hash" if how == "hash" else "drop"


def require_fields(asked: Iterable[str], there: Collection[tuple[str, str]]) -> None:
    """Raise UsageError for a redaction of a field that is not ``there``, naming the nearest.

    ``there``: (entity type, field) of what was stated, or is declared.
    """
    types = {entity_type for entity_type, _ in there}
    for text in asked:
        entity_type, name, _ = _parse_redaction(text)
        fields = {field for owner, field in there if entity_type in (owner, _ANY)}
        if name in fields:
            continue
        wrong = f"no field {name} in entities of the type {entity_type}"
        near = nearest_named(name, fields)
        if entity_type == _ANY:
            wrong = f"no field {name} in any type"
        elif entity_type not in types:
            wrong, near = f"no entity of the type {entity_type}", nearest_named(entity_type, types)
        raise UsageError(f"--redact {text}: {wrong}; nothing was exported{near}")


def find_declared_fields(schemas: Iterable[Mapping[str, object]]) -> set[tuple[str, str]]:
    """Return (entity type, field) of every field that any schema declares."""
    return {(str(row["entity_type"]), name) for row in schemas for name, _ in _fields_of(row)}


def _fields_of(row: Mapping[str, object]) -> list[tuple[str, JsonValue]]:
    definition = _read(row["schema_definition"])
    declared = definition.get("fields") if isinstance(definition, dict) else None
    return (
        [(field_text(name), spec) for name, spec in declared.items()]
        if isinstance(declared, dict)
        else []
    )


def sensitive_fields(schemas: Iterable[Mapping[str, object]]) -> set[tuple[str, str]]:
    """Return (entity type, field) of the fields that any schema marks as sensitive."""
    found: set[tuple[str, str]] = set()
    for row in schemas:
        for name, spec in _fields_of(row):
            marked = spec.get("sensitivity_class") if isinstance(spec, dict) else None
            if marked is not None and str(marked).lower() not in _NOT_SENSITIVE:
                found.add((str(row["entity_type"]), name))
    return found


def hash_value(value: str, salt: bytes) -> str:
    """Return the salted hash of a value: the same for the same value in one export only."""
    raw = value.encode("utf-8", "surrogatepass")
    return hmac.new(salt, raw, hashlib.sha256).hexdigest()[:_DIGITS]


def redact_object(text: str, entity_type: str, redactions: Redactions, salt: bytes) -> str | None:
    """Return a JSON object without its redacted parts; None for what is not an object."""
    value = _read(text)
    if not isinstance(value, dict):
        return None
    kept: dict[str, JsonValue] = {}
    for name, member in value.items():
        how = redactions.of(entity_type, field_text(name))
        if how != "drop":
            kept[name] = hash_value(stringify(member), salt) if how == "hash" else member
    return stringify(kept)


def _read(text: object) -> JsonValue:
    try:
        return parse_json(text) if isinstance(text, str) else None
    except NotJson:
        return None
