"""The report of ``midden archive``. Its field names are the keys of ``--json`` and stay.

Counts are rows, times UTC as ISO 8601, durations seconds. No stored value is in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.report.layout import LABELLED, fit_columns, label_line

Outcome = Literal["planned", "archived", "unchanged"]


@dataclass(frozen=True, slots=True)
class TableArchived:
    """One table: its ``rows`` in the database, and what the archive gained.

    ``appended``: versions, ``changed`` of them of rows it had already. ``gone``: rows that the
    archive had and the database no longer has; the archive keeps them.
    """

    table: str
    rows: int
    appended: int
    changed: int
    gone: int


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """One run of ``midden archive``. ``undo`` is always null: nothing the archive had changed."""

    run: str
    outcome: Outcome
    target: str
    archive: str
    archived_at: str | None
    archived: tuple[TableArchived, ...]
    appended: int
    gone: int
    findings: tuple[Finding, ...]
    seconds: Mapping[str, float]
    undo: None = None
    page: str | None = None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def archive_text(report: ArchiveReport) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: ArchiveReport) -> Iterator[str]:
    yield label_line("archive", report.archive)
    header = ("", "rows", "appended", "changed", "gone")
    rows = [
        (t.table, f"{t.rows:,}", f"{t.appended:,}", f"{t.changed:,}", f"{t.gone:,}")
        for t in report.archived
        if t.rows or t.appended or t.gone
    ]
    lines = fit_columns([header, *rows], right=range(1, 5), indent=LABELLED)
    yield label_line("tables", lines[0])
    yield from (label_line("", line) for line in lines[1:])
    for finding in report.findings:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")
    if report.outcome == "unchanged":
        yield label_line("unchanged", "nothing is new since the last run; nothing was written")
    elif report.outcome == "archived":
        took = f"{report.appended:,} versions, {report.gone:,} rows noted as gone"
        yield label_line("archived", f"{took}; {sum(report.seconds.values()):.1f} s")
    if report.page:
        yield label_line("page", report.page)
