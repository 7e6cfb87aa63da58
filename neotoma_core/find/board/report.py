"""The state of every protected database. Its field names are keys of ``--json`` and stay."""

from dataclasses import dataclass

from neotoma_core.pages.timeline import Point
from neotoma_core.report.document import document
from neotoma_core.report.inventory import StatusReport


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """One database.

    ``status``: null where it could not be looked at; ``problem`` says why then. ``points``: the
    backups of its vault, oldest first.
    """

    target: str
    vault: str
    status: StatusReport | None
    problem: str | None
    points: tuple[Point, ...]

    @property
    def is_alarming(self) -> bool:
        """Whether somebody should look."""
        return self.status is None or self.status.is_alarming or self.status.is_unread


@dataclass(frozen=True, slots=True)
class BoardReport:
    """Every protected database, at one moment; ``page``: the file with the page, if any."""

    at: str
    databases: tuple[BoardEntry, ...]
    page: str | None = None

    @property
    def is_alarming(self) -> bool:
        """Whether somebody should look at any of them."""
        return any(entry.is_alarming for entry in self.databases)

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)
