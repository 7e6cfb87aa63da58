"""One entity as a report. It is asked for by name, and holds its values unless told not to."""

from dataclasses import dataclass

from neotoma_core.entity_view.naming import Named
from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding


@dataclass(frozen=True, slots=True)
class ShownField:
    """One field of one user's snapshot, and the observations that its value comes from.

    ``source``: the id of what the first of them was read from; ``file``: what that was called.
    """

    user: str | None
    field: str
    value: str | None
    observations: tuple[str, ...]
    observed_at: str | None
    source: str | None
    file: str | None


@dataclass(frozen=True, slots=True)
class ShownEdge:
    """One live relationship: ``direction`` is ``to`` or ``from`` the ``other`` entity."""

    relationship: str
    direction: str
    other: str
    other_type: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class ShownMerge:
    """A merge or split that the entity took part in, by the id of its audit row."""

    kind: str
    id: str
    entity: str
    into: str
    at: str | None


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """One version of one observation that an archive has, and the columns that changed."""

    observation: str
    version: int
    archived_at: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntityReport:
    """One entity as a database has it.

    ``state``: ``there``, ``deleted``, ``merged-away`` (into ``survivor``), or ``no-snapshot``.
    ``stored``: whether Neotoma's own snapshot says the same: ``same``, ``differs``, ``missing``,
    or null where there is none to compare with.
    """

    entity: str
    entity_type: str
    database: str
    moment: str | None
    state: str
    survivor: str | None
    names: tuple[str, ...]
    users: tuple[str | None, ...]
    observations: int
    stored: str | None
    fields: tuple[ShownField, ...]
    edges: tuple[ShownEdge, ...]
    merges: tuple[ShownMerge, ...]
    versions: tuple[ShownVersion, ...]
    archive: str | None
    findings: tuple[Finding, ...]
    next: str | None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


@dataclass(frozen=True, slots=True)
class MatchesReport:
    """Several entities that answer to what was asked for: ``found`` in all, the first of them."""

    database: str
    found: int
    matches: tuple[Named, ...]

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)
