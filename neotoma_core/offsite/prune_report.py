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
    the log says were removed before, and that were not allowed to go then.
    """

    outcome: Literal["planned", "pruned", "unchanged"]
    remote: str
    rotation: tuple[PruneItem, ...]
    held: str
    removed: int
    objects: int
    removed_bytes: int
    left_over: int
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
        yield label_line("held", f"nothing is removed: {report.held}")
    removed = f"{report.removed:,} backups, {report.objects:,} objects"
    size = f"{report.removed_bytes / 1e6:,.1f} MB"
    if report.outcome == "pruned":
        yield label_line("removed", f"{removed}, {size}; for good")
    elif report.objects and not report.held:
        yield label_line("plan", f"would remove {removed}, {size}; say --apply to do it")
