"""The report of ``midden unmerge``. Its field names are the keys of ``--json`` and stay."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from neotoma_core.publication.proofs import Check
from neotoma_core.report.document import document
from neotoma_core.report.layout import label_line, undo_lines
from neotoma_core.snapshots.report import DerivedSummary


@dataclass(frozen=True, slots=True)
class UnmergeReport:
    """One merge of entities, undone: ``entity`` had been merged into ``survivor``.

    ``moved_observations``, ``moved_edges``: rows that go back; ``restored_edges``: rows the merge
    had removed; ``missing``: observations the merge rewrote that the archive never saw before.
    """

    run: str
    outcome: Literal["planned", "unmerged"]
    target: str
    archive: str
    merge: str
    entity: str
    survivor: str
    moved_observations: int
    missing: int
    moved_edges: int
    restored_edges: int
    derived: tuple[DerivedSummary, ...]
    checks: tuple[Check, ...]
    seconds: Mapping[str, float]
    undo: str | None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def plan_text(report: UnmergeReport) -> str:
    """Return what will be done, before anybody is asked."""
    return "\n".join(_plan(report))


def result_text(report: UnmergeReport) -> str:
    """Return what was done and how to undo it."""
    names = ", ".join(check.name for check in report.checks)
    published = label_line("unmerged", f"one transaction; {names}: all pass")
    return "\n".join([published, *undo_lines(str(report.undo))])


def _plan(report: UnmergeReport) -> Iterator[str]:
    yield label_line("merge", f"{report.merge}: {report.entity} into {report.survivor}")
    yield label_line("archive", report.archive)
    back = f"{report.moved_observations:,} observations and {report.moved_edges:,} edges"
    yield label_line(
        "plan", f"{back} go back; {report.restored_edges:,} edges that it removed return"
    )
    if report.missing:
        yield label_line(
            "missing", f"{report.missing:,} observations were never archived before it"
        )
    for table in report.derived:
        changed = f"{table.inserted:,} added, {table.updated:,} changed, {table.removed:,} removed"
        yield label_line("recompute", f"{table.table}: {changed}")
    yield label_line("kept", "the audit row of the merge; the unmerge gets one of its own")
