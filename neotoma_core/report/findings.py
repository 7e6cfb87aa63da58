"""Findings that several operations make: what was noticed and is no number of a plan."""

from collections.abc import Iterator
from dataclasses import dataclass

from neotoma_core.policies import Registry


@dataclass(frozen=True, slots=True)
class Finding:
    """Something noticed: ``kind`` is a fixed word, ``subject`` what it is about."""

    kind: str
    subject: str
    detail: str


def unreadable(observation: str, reason: str) -> Finding:
    """Return the finding of an observation whose fields cannot be read."""
    return Finding("unreadable", observation, f"left out of the reduction: {reason}")


def without_schema(entity_type: str, entities: int) -> Finding:
    """Return the finding of a type that no schema describes."""
    detail = f"no schema in the registry; {entities:,} entities take every field as it is"
    return Finding("no-schema", entity_type, detail)


def registry_findings(registry: Registry) -> Iterator[Finding]:
    """Yield what in the schemas could not be used as it is."""
    for entity_type, version in registry.broken:
        detail = "its JSON cannot be read; skipped"
        yield Finding("broken-schema", f"{entity_type} {version}", detail)
    for entity_type, field in registry.unknown_strategies:
        detail = "unknown merge strategy; reduced as last_write"
        yield Finding("unknown-strategy", f"{entity_type}.{field}", detail)
