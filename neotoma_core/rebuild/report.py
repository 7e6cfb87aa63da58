"""The report of a rebuild. Its field names are the keys of ``--json`` and stay as they are.

Counts are rows, sizes bytes, times UTC as ISO 8601, durations seconds. No stored value but ids,
types, times and field names is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from neotoma_core.publication.proofs import Check
from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.report.unfinished import UnfinishedStores
from neotoma_core.snapshots.explaining import UNKNOWN
from neotoma_core.snapshots.report import DerivedSummary
from neotoma_core.snapshots.rules_report import RulesUsed

Outcome = Literal["checked", "planned", "rebuilt", "unchanged", "exported"]
SHOWN_DRIFT = 1_000  # of each kind, in the report itself


@dataclass(frozen=True, slots=True)
class DriftItem:
    """One snapshot that is not what the log says.

    ``kind``: missing, stale, unexpected or wrong-count. ``id``: entity id or relationship key.
    ``reason``: what Neotoma did or did not do to it, if that explains it. ``columns`` differ, and
    ``fields`` in the JSON of them; no fields are named once very many snapshots differ.
    """

    table: str
    kind: str
    id: str
    type: str | None
    reason: str | None
    columns: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DriftSummary:
    """How far the snapshots of one table are from the log: snapshots by kind of drift.

    ``reasons``: why, each with its snapshots. ``older_rules``: rows that stay and do not count as
    drift, since the rules of another release that Midden knows explain them.
    """

    table: str
    missing: int
    stale: int
    unexpected: int
    wrong_count: int
    reasons: Mapping[str, int]
    older_rules: int

    @property
    def total(self) -> int:
        """All snapshots that drifted."""
        return self.missing + self.stale + self.unexpected + self.wrong_count


@dataclass(frozen=True, slots=True)
class CutOff:
    """Up to when the log was read: by when it happened, and by when it was known; None: no end."""

    as_of: str | None
    knowledge: str | None
    observations: int
    left_out: int


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """One run of ``midden rebuild``: a check, a plan, a rebuild or an export.

    ``observations`` and ``entities`` are what the target holds. ``drifted`` holds the first of
    each kind of the snapshots that drifted, ``drift_file`` names the file with all of them.
    ``unfinished``: None where only a part was looked at, or the log as it was. ``page``: the report
    to look at, None where it could not be kept.
    """

    run: str
    outcome: Outcome
    target: str
    evidence: str | None
    evidence_bytes: int
    observations: int
    entities: int
    narrowed: bool
    buckets: int
    derived: tuple[DerivedSummary, ...]
    drift: tuple[DriftSummary, ...]
    drifted: tuple[DriftItem, ...]
    drift_file: str | None
    writes: int
    cut_off: CutOff | None
    out: str | None
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    unfinished: UnfinishedStores | None
    rules: RulesUsed
    seconds: Mapping[str, float]
    report: str
    undo: str | None
    page: str | None = None

    @property
    def drifts(self) -> int:
        """All snapshots that drifted, of both tables."""
        return sum(summary.total for summary in self.drift)

    @property
    def unexplained(self) -> int:
        """Snapshots that drifted for no known reason: those alone are alarming."""
        return sum(summary.reasons.get(UNKNOWN, 0) for summary in self.drift)

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)
