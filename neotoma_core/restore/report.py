"""The reports of ``midden restore``; their field names are the keys of ``--json``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from neotoma_core.comparison.differences import TableDifference
from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.report.layout import align, label_line, undo_lines
from neotoma_core.restore.changes import change_lines


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """One restore. ``undo`` puts back what was there before it.

    ``erased``: rows the vault knows to be erased, which were left out. ``raw_files_restored``: raw
    files that were not there; ``raw_files_lost``: those that the source no longer has as they were;
    ``raw_files_missing``: those the database names that are not in ``raw_folder`` now. ``problem``:
    why an archive was not unpacked to its end. ``backup``: what was taken before, where nearly all
    observations went. ``differences``: of a plan, what becomes of each table.
    ``findings``: what the target left that was there before, kept as evidence.
    """

    evidence: str
    target: str
    outcome: str
    erased: int
    undo: str | None
    raw_files_restored: int = 0
    raw_files_lost: int = 0
    raw_files_missing: int = 0
    raw_folder: str | None = None
    problem: str | None = None
    backup: str | None = None
    differences: tuple[TableDifference, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


@dataclass(frozen=True, slots=True)
class RestoredTable:
    """One table of the database that was built, and its rows."""

    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class ArchiveRestoreReport:
    """One restore from an archive. ``undo`` puts back what was there before it.

    ``erased``: rows the vault knows to be erased, which were left out. ``backup``: what was taken
    before, where nearly all observations went. ``differences``: what becomes of each table. Raw
    files: those that were not there and came back, those that were next to the archive and are no
    longer what they were, and those that the database names and that are not in ``raw_folder`` now.
    """

    run: str
    outcome: Literal["planned", "restored"]
    archive: str
    as_of: str | None
    target: str
    restored: tuple[RestoredTable, ...]
    erased: int
    findings: tuple[Finding, ...]
    backup: str | None
    undo: str | None
    differences: tuple[TableDifference, ...] = ()
    raw_files_restored: int = 0
    raw_files_lost: int = 0
    raw_files_missing: int = 0
    raw_folder: str | None = None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def text_before(report: ArchiveRestoreReport) -> str:
    """Return what is in the database that was built, before anybody is asked."""
    return "\n".join(_build_lines(report))


def text_after(report: ArchiveRestoreReport) -> str:
    """Return what was done."""
    lines = [label_line("restored", report.target)]
    if report.backup:
        lines.append(label_line("backup", f"{report.backup}, verified"))
    lines += _raw_files(report)
    return "\n".join([*lines, *undo_lines(str(report.undo))])


def _raw_files(report: RestoreReport | ArchiveRestoreReport) -> Iterator[str]:
    if report.raw_files_restored or report.raw_files_lost:
        lost = f", {report.raw_files_lost:,} are lost" if report.raw_files_lost else ""
        yield label_line("raw files", f"{report.raw_files_restored:,} came back{lost}")
    if report.raw_files_missing:
        missing = f"{report.raw_files_missing:,} that the database names are missing"
        yield label_line("raw files", f"{missing} from {report.raw_folder}")


def _build_lines(report: ArchiveRestoreReport) -> Iterator[str]:
    yield label_line("archive", f"{report.archive}   as of {report.as_of or 'its last run'}")
    rows = [(t.table, f"{t.rows:,}") for t in report.restored if t.rows]
    for place, line in enumerate(align(rows, right=(1,))):
        yield label_line("" if place else "built", line)
    yield label_line("proven", "every row by its hash; snapshots recomputed")
    if report.erased:
        yield label_line("erased", f"{report.erased:,} rows that were erased before were left out")
    yield from change_lines(report.differences)
    for finding in report.findings[:10]:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")


def put_back_text(report: RestoreReport) -> str:
    """Return what was done."""
    lines = [label_line("restored", report.target)]
    lines += [label_line(f.kind, f"{f.subject}: {f.detail}") for f in report.findings]
    if report.erased:
        left_out = f"{report.erased:,} rows that were erased before were left out"
        lines.append(label_line("erased", left_out))
    if report.backup:
        lines.append(label_line("backup", f"{report.backup}, verified"))
    lines += _raw_files(report)
    if report.problem:
        lines.append(label_line("archive", f"{report.evidence}: {report.problem}"))
    return "\n".join([*lines, *undo_lines(report.undo or "")])


def changes_text(plan: RestoreReport) -> str:
    """Return what a restore would change, table by table."""
    findings = (label_line(f.kind, f"{f.subject}: {f.detail}") for f in plan.findings)
    return "\n".join(["\n".join(change_lines(plan.differences)), *findings])
