"""The report of ``midden remote rewrite``; its field names are the keys of ``--json`` and stay."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.report.layout import label_line

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class OldObject:
    """An object that no longer counts, and may still hold what was erased."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class RewriteReport:
    """One rewriting of a log without what was erased.

    ``outcome``: "unchanged" where the log has none of it, "held" where the database is not to be
    pushed as it is. ``versions``: of rows in the new beginning, by table. ``backups``: those that
    were shipped and hold what was erased, or may, and do not count any more. ``old``: what is left
    on the remote of what no longer counts; ``deleted``: how many objects were deleted. ``alarms``:
    why nothing was done.
    """

    outcome: Literal["rewritten", "unchanged", "held"]
    remote: str
    versions: Mapping[str, int] = field(default_factory=dict)
    raw_files_left_out: int = 0
    backups: tuple[str, ...] = ()
    old: tuple[OldObject, ...] = ()
    deleted: int = 0
    alarms: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    undo: None = None

    @property
    def old_bytes(self) -> int:
        """The size of what is left, in bytes."""
        return sum(one.size for one in self.old)

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def rewrite_text(report: RewriteReport) -> str:
    """Return what was written, and what is left of what was before."""
    return "\n".join(_lines(report))


def _lines(report: RewriteReport) -> Iterator[str]:
    yield label_line("remote", report.remote)
    if report.outcome == "held":
        yield label_line("held back", f"the database as it is now: {report.alarms[0]}")
        return
    if report.outcome == "rewritten":
        rows = sum(report.versions.values())
        left_out = f"; {report.raw_files_left_out:,} raw files left out"
        yield label_line(
            "rewritten", f"{rows:,} versions of rows without what was erased{left_out}"
        )
    else:
        yield label_line("unchanged", "the log there has nothing that was erased")
    for name in report.backups:
        yield label_line("backup", f"{name} holds what was erased, or may; it no longer counts")
    if report.deleted:
        yield label_line("deleted", f"{report.deleted:,} objects; for good")
    yield from _leftover_lines(report)
    for finding in report.findings:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")


def _leftover_lines(report: RewriteReport) -> Iterator[str]:
    if not report.old:
        return
    size = f"{report.old_bytes / 1e6:,.1f} MB"
    yield label_line(
        "still held", f"{len(report.old):,} objects, {size}, may hold what was erased;"
    )
    yield label_line(
        "", "delete them with --delete, or with credentials that allow it, in this order:"
    )
    for one in report.old[:_SHOWN]:
        yield label_line("", f"{one.name}   {one.size:,} bytes")
    if len(report.old) > _SHOWN:
        yield label_line("", f"and {len(report.old) - _SHOWN:,} more: --json lists all")
