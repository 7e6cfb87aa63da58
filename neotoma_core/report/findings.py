"""Findings that several operations make: what was noticed beyond the numbers of a plan."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from neotoma_core.neotoma.schemas import Registry
from neotoma_core.sqlite.faults import Fault


@dataclass(frozen=True, slots=True)
class Finding:
    """Something noticed: ``kind`` is a fixed word, ``subject`` what it is about."""

    kind: str
    subject: str
    detail: str


def unreadable(observation: str, reason: str) -> Finding:
    """Return the finding of an observation whose fields cannot be read."""
    return Finding("unreadable", observation, f"left out of the reduction: {reason}")


def reduction_fails(entity: str, reason: str) -> Finding:
    """Return the finding of an entity on which Neotoma's own reduction throws."""
    detail = f"Neotoma's own reduction fails: {reason}; its snapshot stays as it is"
    return Finding("reduction-fails", entity, detail)


def without_schema(entity_type: str, entities: int) -> Finding:
    """Return the finding of a type that no schema describes."""
    detail = f"no schema in the registry; {entities:,} entities take every field as it is"
    return Finding("no-schema", entity_type, detail)


def not_carried(label: str, name: str, what: str) -> Finding:
    """Return the finding of something in a backup that is neither run nor copied."""
    return Finding("not-carried", f"{label}: {name}", f"{what}; neither run nor copied")


def finding_of_carried(name: str, more: Sequence[str]) -> Finding:
    """Return the finding of a table or column that Neotoma does not know; ``more`` to say of it."""
    return Finding("carried", name, "; ".join(["not Neotoma's, carried as it is", *more]))


def without_key(table: str, rows: int) -> Finding:
    """Return the finding of rows without a key."""
    detail = f"{rows:,} rows have no key; they are merged by all their cells, and in no snapshot"
    return Finding("no-key", table, detail)


def before(faults: Iterable[Fault]) -> Iterator[Finding]:
    """Yield the faults that a target had before anything was written to it."""
    for fault in faults:
        detail = f"{fault.rows:,} {fault.what}; it was so before, and stays so"
        yield Finding("fault-before", fault.table, detail)


def registry_findings(registry: Registry) -> Iterator[Finding]:
    """Yield what in the schemas could not be used as it is."""
    for entity_type, version in registry.broken:
        detail = "its JSON cannot be read; skipped"
        yield Finding("broken-schema", f"{entity_type} {version}", detail)
