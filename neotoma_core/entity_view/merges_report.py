"""Merges and splits as a report, and as text for a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from neotoma_core.report.document import document
from neotoma_core.report.layout import fit_columns, label_line

_UNDO: Final = {"yes": "can be undone", "incomplete": "can be undone in part", "no": ""}


@dataclass(frozen=True, slots=True)
class ListedMerge:
    """One merge of ``entity`` into another, or a split: ``kind`` says which.

    ``undo``: whether `midden unmerge` can undo a merge: ``yes``, ``no``, or ``incomplete`` where
    ``missing`` of its observations stay behind; ``why`` not.
    """

    kind: str
    id: str
    at: str | None
    entity: str
    into: str
    user: str | None
    observations: int | None
    undo: str
    why: str | None
    missing: int


@dataclass(frozen=True, slots=True)
class MergesReport:
    """The merges and splits of one database; ``next``: how the last that can be is undone."""

    database: str
    archive: str | None
    merges: tuple[ListedMerge, ...]
    next: str | None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def merges_text(report: MergesReport, limit: int) -> str:
    """Return the report as text for a terminal: the last ones, ``limit`` at most."""
    return "\n".join(_lines(report, limit))


def _lines(report: MergesReport, limit: int) -> Iterator[str]:
    merges = sum(one.kind == "merge" for one in report.merges)
    counts = f"{merges:,} merges, {len(report.merges) - merges:,} splits of entities"
    yield label_line("database", f"{report.database}: {counts}")
    yield label_line("archive", report.archive or "none; `midden archive` makes merges undoable")
    shown = report.merges[-limit:]
    rows = [
        (one.at or "?", one.kind, one.id, f"{one.entity} into {one.into}", _undo(one))
        for one in shown
    ]
    yield from (fit_columns(rows, right=()) if rows else ())
    if len(report.merges) > len(shown):
        yield label_line(
            "", f"and {len(report.merges) - len(shown):,} earlier ones; --json has all"
        )
    if report.next:
        yield label_line("next", report.next)


def _undo(one: ListedMerge) -> str:
    if one.kind == "split":
        return ""
    said = _UNDO[one.undo] or "cannot be undone"
    return f"{said}: {one.why}" if one.why else said
