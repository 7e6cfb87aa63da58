"""The history of an entity as a report. It is asked for by id, and holds what was stated of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.report.layout import LABELLED, fit_columns, label_line

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class ObservationVersion:
    """One version of one observation: what ``changed`` since the one before, columns by name.

    ``until``: when the archive saw another in its place, or the row gone; null while it stands.
    """

    observation: str
    version: int
    entity_id: str
    observed_at: str | None
    archived_at: str
    until: str | None
    changed: tuple[str, ...]
    backup: str


@dataclass(frozen=True, slots=True)
class StatedValue:
    """One value that one observation states of the entity; ``priority`` is its source's."""

    field: str
    observed_at: str | None
    value: str | None
    priority: int | None
    observation: str


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """All that an archive knows of one entity."""

    entity: str
    archive: str
    entity_type: str | None
    observations: int
    versions: tuple[ObservationVersion, ...]
    values: tuple[StatedValue, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def history_text(report: HistoryReport) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: HistoryReport) -> Iterator[str]:
    yield label_line("entity", f"{report.entity}   {report.entity_type or ''}")
    yield label_line("archive", report.archive)
    versions = f"{report.observations:,} observations in {len(report.versions):,} versions"
    yield label_line("history", versions)
    rows = [
        (
            v.observed_at or "?",
            v.observation,
            f"version {v.version}, of {v.entity_id}"
            + (f", until {v.until}" if v.until else "")
            + (f", other: {' '.join(v.changed)}" if v.changed else ""),
        )
        for v in report.versions
    ]
    yield from (label_line("", line) for line in fit_columns(rows, (), LABELLED))
    fields = sorted({value.field for value in report.values})
    for field in fields:
        stated = [value for value in report.values if value.field == field]
        cells = [(v.observed_at or "?", f"priority {v.priority}", _short(v.value)) for v in stated]
        yield label_line("field", field)
        yield from (label_line("", line) for line in fit_columns(cells, (), LABELLED))
    for finding in report.findings:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")


def _short(value: str | None) -> str:
    if value is None:
        return "(null)"
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
