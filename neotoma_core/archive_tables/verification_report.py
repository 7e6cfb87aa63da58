"""The report of ``midden verify --archive``; its field names are the keys of ``--json``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.report.layout import LABELLED, fit_columns, label_line

_LABELS: Final = {
    "archive-unrecorded": "unrecorded",
    "archive-leftover": "leftover",
    "archive-harmed": "harmed",
    "archive-unnamed": "unnamed",
    "archive-strange": "unknown",
}


@dataclass(frozen=True, slots=True)
class VerifiedTable:
    """One table: the files and rows that were read, and the files that are damaged."""

    table: str
    files: int
    rows: int
    damaged: int


@dataclass(frozen=True, slots=True)
class ArchiveVerification:
    """One look at an archive.

    ``findings`` name what is damaged, what no commit names, and what killed runs left. These, and
    that an archive keeps no record of its commits, are not damage.
    """

    archive: str
    outcome: Literal["verified", "damaged"]
    verified: tuple[VerifiedTable, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def verification_text(report: ArchiveVerification) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: ArchiveVerification) -> Iterator[str]:
    yield label_line("archive", report.archive)
    rows = [("", "files", "rows", "damaged")]
    rows += [(t.table, f"{t.files:,}", f"{t.rows:,}", f"{t.damaged:,}") for t in report.verified]
    for place, line in enumerate(fit_columns(rows, right=(1, 2, 3), indent=LABELLED)):
        yield label_line("" if place else "tables", line)
    for finding in report.findings:
        label = _LABELS.get(finding.kind, "damaged")
        yield label_line(label, f"{finding.subject}: {finding.detail}")
    if report.outcome == "verified":
        yield label_line("verified", "every file is there, every row is as it was archived")
