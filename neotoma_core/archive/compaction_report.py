"""The report of ``midden compact``. Its field names are the keys of ``--json`` and stay."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from neotoma_core.report.document import document
from neotoma_core.report.layout import LABELLED, fit_columns, label_line


@dataclass(frozen=True, slots=True)
class TableCompaction:
    """One table: its files before and after, bytes read and written, old files that go."""

    table: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    old_files: int


@dataclass(frozen=True, slots=True)
class CompactionReport:
    """One run of ``midden compact``. ``undo`` is always null: the rows are the same."""

    archive: str
    outcome: str
    compacted: tuple[TableCompaction, ...]
    pins: tuple[str, ...]
    seconds: Mapping[str, float]
    undo: None = None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def compaction_text(report: CompactionReport) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def _lines(report: CompactionReport) -> Iterator[str]:
    yield label_line("archive", report.archive)
    rows = [("", "files", "after", "MB read", "old files")]
    rows += [
        (
            t.table,
            f"{t.files_before:,}",
            f"{t.files_after:,}",
            f"{t.bytes_before / 1e6:,.1f}",
            f"{t.old_files:,}",
        )
        for t in report.compacted
    ]
    for place, line in enumerate(fit_columns(rows, right=range(1, 5), indent=LABELLED)):
        yield label_line("" if place else "tables", line)
    if report.pins:
        yield label_line("pinned", ", ".join(report.pins))
    if report.outcome == "compacted":
        yield label_line("compacted", "every row is there as before, by fingerprint")
