"""The report of ``midden push``. Its field names are the keys of ``--json`` and stay.

Counts are rows, files and bytes as they are before they are sealed; durations are seconds. No
stored value is in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.report.layout import label_line

Outcome = Literal["planned", "pushed", "unchanged", "held"]


@dataclass(frozen=True, slots=True)
class PushReport:
    """One push. ``versions``: of rows, by table; ``entries``: how many the log gained.

    ``bytes``: of all contents. ``alarms``: why the database was ``held`` back.
    """

    outcome: Outcome
    target: str
    remote: str
    writer: str
    versions: Mapping[str, int]
    raw_files: int
    backups: tuple[str, ...]
    erasures: int
    bytes: int
    entries: int
    alarms: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: Mapping[str, float]
    undo: None = None
    page: str | None = None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def push_text(report: PushReport) -> str:
    """Return the report as text for a terminal."""
    page = [label_line("page", report.page)] if report.page else []
    return "\n".join([*_lines(report), *page])


def _lines(report: PushReport) -> Iterator[str]:
    yield label_line("remote", report.remote)
    for table, rows in report.versions.items():
        yield label_line("log", f"{rows:,} versions of {table}")
    if report.raw_files:
        yield label_line("raw files", f"{report.raw_files:,}")
    for name in report.backups:
        yield label_line("backup", name)
    if report.erasures:
        yield label_line("erasures", f"{report.erasures:,} lines of the ledger")
    for finding in report.findings:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")
    entries = "1 entry" if report.entries == 1 else f"{report.entries:,} entries"
    took = f"{report.bytes:,} bytes in {entries}"
    if report.outcome == "unchanged":
        yield label_line("unchanged", "the remote has everything; nothing was written")
    elif report.outcome == "planned":
        yield label_line("dry run", f"{report.bytes:,} bytes to push; nothing was written")
    elif report.outcome == "held":
        yield label_line("held back", f"the database as it is now: {report.alarms[0]}")
        if report.entries:
            yield label_line("pushed", f"backups taken before: {took}")
    else:
        yield label_line("pushed", f"{took}; {sum(report.seconds.values()):.1f} s")
