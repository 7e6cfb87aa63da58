"""The report of ``midden forget``. Its field names are the keys of ``--json``.

Counts are rows and files. No erased id is in it, nor any stored value.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from neotoma_core.report.document import document


@dataclass(frozen=True, slots=True)
class RewrittenBackup:
    """A backup that holds what was erased, and the one in its place.

    ``new``: the name of that one; empty where there is none. ``rows``: how many are left out;
    ``raw_files`` and ``logs``: how many files. ``kept_because``: why the old one stays, if so.
    """

    backup: str
    rows: int
    raw_files: int
    logs: int
    new: str = ""
    kept_because: str = ""


@dataclass(frozen=True, slots=True)
class UnknownBackup:
    """A backup that may hold what was erased: nobody can tell, and why."""

    backup: str
    why: str
    remove: str


@dataclass(frozen=True, slots=True)
class ForgetReport:
    """One run of ``midden forget``.

    ``looked_at``: how many backups; ``holding``: those that hold what was erased.
    ``blobs_removed``: raw files of what was erased that no backup names any longer. ``further``:
    the command that lists what else still holds it.
    """

    run: str
    outcome: str
    target: str
    looked_at: int
    holding: tuple[RewrittenBackup, ...]
    unknown: tuple[UnknownBackup, ...]
    blobs_removed: int
    seconds: Mapping[str, float]
    further: str

    @property
    def is_complete(self) -> bool:
        """Whether no backup holds what was erased, as far as anybody can tell."""
        return not self.unknown and all(one.new for one in self.holding)

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)
