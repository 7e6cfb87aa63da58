"""The report of a recovery. Its field names are the keys of ``--json`` and stay as they are.

Counts are rows, sizes bytes, times UTC as ISO 8601, durations seconds. No stored value but ids,
types and times is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from neotoma_core.merge.accounting import RowCounts
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.publication.proofs import Check
from neotoma_core.report.composition import CompositionReport
from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.snapshots.report import DerivedSummary
from neotoma_core.snapshots.rules_report import RulesUsed

Outcome = Literal["planned", "published", "unchanged", "refused"]
SHOWN_CONFLICTS = 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds. ``first`` and ``last`` are the earliest and latest observed_at."""

    observations: int
    entities: int
    entity_snapshots: int
    relationship_snapshots: int
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class BackupContribution:
    """One backup that took part. ``adds`` counts the observations it brought."""

    label: str
    path: str
    environment: str | None
    observations: int
    first: str | None
    last: str | None
    adds: int


@dataclass(frozen=True, slots=True)
class NotUsed:
    """One backup that took no part; ``unreadable``, or the same as another."""

    path: str
    reason: str
    unreadable: bool


@dataclass(frozen=True, slots=True)
class EvidenceSummary:
    """What was copied and hashed before anything else.

    ``folder``: where it is kept; empty where nothing was changed, and so nothing is kept.
    """

    folder: str
    databases: int
    bytes: int
    raw_files: int
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class ConflictSummary:
    """Rows in conflict, the file that lists them all, and the first of them.

    ``undecided``: those left to the mode. ``three_way``: rows that only one side changed since a
    common ancestor, which is not a conflict; the file has them too.
    """

    rows: int
    undecided: int
    three_way: int
    file: str | None
    first: tuple[dict[str, JsonValue], ...]


@dataclass(frozen=True, slots=True)
class ReingestedSummary:
    """Observations that were sent again.

    ``entities_differ``: entities whose snapshot has other values under the other choice for them.
    ``file``: lists the entities.
    """

    observations: int
    kept: str
    entities_differ: int
    file: str | None = None


@dataclass(frozen=True, slots=True)
class RawFileSummary:
    """Raw source files. ``missing`` are referred to and found nowhere; lists hold names."""

    added: int
    added_bytes: int
    repaired: tuple[str, ...]
    missing: tuple[str, ...]
    damaged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArchivedSummary:
    """What the vault's archive gained: versions ``appended``, rows noted as ``gone``."""

    archive: str
    appended: int
    gone: int


@dataclass(frozen=True, slots=True)
class RuinSummary:
    """A target that could not be used as it was, and is replaced by a new file.

    ``state``: ``damaged``, ``truncated``, ``unreadable`` or ``empty``; ``problem``: what is wrong.
    ``salvaged``: by which means rows came out of it, null where none did; ``advice``: what may
    salvage more.
    """

    state: str
    problem: str
    salvaged: str | None
    advice: str | None


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """One run of ``midden recover``, dry or real.

    ``backup``: what was taken before, where nearly all observations were overwritten. ``ruin``:
    null where the target was sound, or not there. ``page``: the report to look at, null where it
    could not be kept. ``next``: the command to run then.
    """

    run: str
    outcome: Outcome
    target: str
    target_existed: bool
    mode: str
    evidence: EvidenceSummary
    backups: tuple[BackupContribution, ...]
    not_used: tuple[NotUsed, ...]
    tables: tuple[RowCounts, ...]
    conflicts: ConflictSummary
    reingested: ReingestedSummary
    quarantine: str | None
    derived: tuple[DerivedSummary, ...]
    raw_files: RawFileSummary
    writes: int
    before: Contents
    after: Contents
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    rules: RulesUsed
    seconds: Mapping[str, float]
    report: str
    undo: str | None
    composition: CompositionReport | None = None
    archived: ArchivedSummary | None = None
    backup: str | None = None
    ruin: RuinSummary | None = None
    page: str | None = None
    next: str | None = None

    @property
    def set_aside(self) -> int:
        """Rows of backups that could not be merged and are in the quarantine."""
        return sum(counts.quarantined for counts in self.tables)

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)
