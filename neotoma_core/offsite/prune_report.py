"""The report of ``midden remote prune``; its field names are the keys of ``--json`` and stay."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from neotoma_core.backup.report import PruneItem
from neotoma_core.report.document import document
from neotoma_core.report.layout import fit_columns, label_line


@dataclass(frozen=True, slots=True)
class RemotePruneReport:
    """One rotation of the backups on a remote.

    ``held``: why nothing may be removed, empty where it may. ``removed``: backups; ``objects`` and
    ``removed_bytes``: of them on the remote. ``left_over``: of these objects, those of backups that
    the log says were removed before, and that were not allowed to go then; ``unnamed``: of them,
    what no entry names, and was condemned a grace before.

    ``condemned`` and ``condemned_bytes``: what no entry names and no run had condemned.
    ``waiting``: what was condemned less than a grace before; the first may go at ``due_at``.
    ``kept``: why nothing is condemned or deleted of what no entry names, empty where it may be.
    """

    outcome: Literal["planned", "pruned", "unchanged"]
    remote: str
    rotation: tuple[PruneItem, ...]
    held: str
    removed: int
    objects: int
    removed_bytes: int
    left_over: int
    unnamed: int = 0
    condemned: int = 0
    condemned_bytes: int = 0
    waiting: int = 0
    due_at: str | None = None
    kept: str = ""
    undo: None = None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def prune_text(report: RemotePruneReport) -> str:
    """Return each backup on the remote, whether it stays, and why."""
    return "\n".join(_lines(report))


def _lines(report: RemotePruneReport) -> Iterator[str]:
    yield label_line("remote", report.remote)
    rows = [
        ("keep" if item.stays else "remove", item.backup, "; ".join(item.reasons))
        for item in report.rotation
    ]
    yield from fit_columns(rows, right=()) if rows else ["no backups"]
    if report.left_over:
        yield label_line("left over", f"{report.left_over:,} objects of backups removed before")
    if report.held:
        yield label_line("held", f"no backup is removed: {report.held}")
    yield from _unnamed_lines(report)
    removed = f"{report.removed:,} backups, {report.objects:,} objects"
    size = f"{report.removed_bytes / 1e6:,.1f} MB"
    if report.outcome == "pruned" and report.objects:
        yield label_line("removed", f"{removed}, {size}; for good")
    elif report.objects and report.outcome == "planned":
        yield label_line("plan", f"would remove {removed}, {size}; say --apply to do it")
    elif report.condemned and report.outcome == "planned":
        yield label_line("plan", "would condemn what no entry names; say --apply to do it")


def _unnamed_lines(report: RemotePruneReport) -> Iterator[str]:
    """Yield what becomes of objects that no entry names."""
    if report.kept and report.kept != report.held:
        yield label_line("unnamed", f"nothing is condemned or deleted: {report.kept}")
    if report.condemned:
        size = f"{report.condemned_bytes / 1e6:,.1f} MB"
        said = "condemned" if report.outcome == "pruned" else "to be condemned"
        yield label_line("unnamed", f"{report.condemned:,} objects, {size}: {said}")
    if report.waiting:
        yield label_line("waiting", f"{report.waiting:,} condemned objects, until {report.due_at}")
    if report.unnamed:
        yield label_line("unnamed", f"{report.unnamed:,} condemned objects go")
