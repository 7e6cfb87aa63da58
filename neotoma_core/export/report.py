"""The report of ``midden export``. Its field names are the keys of ``--json`` and stay.

Counts are rows, durations seconds. No stored value but types, fields and ids is in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.report.layout import align, cut_off_words, label_line


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file: its ``rows``, and values in it that stayed text (``untyped``)."""

    file: str
    rows: int
    untyped: int


@dataclass(frozen=True, slots=True)
class ExportReport:
    """One export. ``undo`` is always null: nothing but the export was written."""

    run: str
    outcome: str
    source: str
    out: str
    as_of: str | None
    knowledge: str | None
    files: tuple[ExportedFile, ...]
    redacted: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: Mapping[str, float]
    undo: None = None
    page: str | None = None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def text_of_export(report: ExportReport) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: ExportReport) -> Iterator[str]:
    yield label_line("exported", report.out)
    if report.as_of or report.knowledge:
        yield label_line("as of", cut_off_words(report.as_of, report.knowledge))
    rows = [("", "rows", "kept as text")]
    rows += [(f.file, f"{f.rows:,}", f"{f.untyped:,}") for f in report.files]
    for place, line in enumerate(align(rows, right=(1, 2))):
        yield label_line("" if place else "files", line)
    if report.redacted:
        yield label_line("redacted", ", ".join(report.redacted))
    for finding in report.findings[:10]:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")
    if len(report.findings) > 10:  # noqa: PLR2004 - as many as fit; --json has them all
        yield label_line("", f"and {len(report.findings) - 10:,} more findings; --json has them")
    if report.page:
        yield label_line("page", report.page)
    yield label_line("took", f"{sum(report.seconds.values()):.1f} s")
