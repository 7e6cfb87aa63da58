"""The report of ``midden reset``; its field names are the keys of ``--json``."""

from dataclasses import dataclass

from neotoma_core.report.document import document
from neotoma_core.report.layout import undo_lines


@dataclass(frozen=True, slots=True)
class ResetReport:
    """One reset: what went, the backup that has it, and how to undo it."""

    run: str
    outcome: str
    target: str
    observations: int
    entities: int
    production: str | None
    backup: str | None
    undo: str | None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)

    @property
    def lost(self) -> str:
        """What went, or would go, as words."""
        return f"{self.observations:,} observations, {self.entities:,} entities"


def reset_text(report: ResetReport) -> str:
    """Return what was done."""
    done = (
        f"reset      {report.target}: {report.lost} are gone from it",
        f"backup     {report.backup}, verified",
    )
    return "\n".join([*done, *undo_lines(str(report.undo))])
