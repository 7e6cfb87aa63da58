"""The reports of backups, drills and rotation. Field names are the keys of ``--json``.

Counts are rows, sizes bytes, times UTC as ISO 8601, durations seconds. No stored value but ids,
types and times is in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from neotoma_core.kept_evidence.plan import EvidenceItem
from neotoma_core.report.document import document


@dataclass(frozen=True, slots=True)
class DrillSummary:
    """One drill.

    ``drifted``: snapshots that are not what the log says; ``findings``: what the database lacked
    when the backup was taken, raw files for one. Neither is a fault of the backup. ``rebuild``: the
    command that recomputes the snapshots of the database. ``same_as``: the backup with the very
    same database that was restored ``at`` that time; of this one all else was checked.
    """

    backup: str
    at: str
    outcome: str
    level: str
    reasons: tuple[str, ...]
    drifted: int
    findings: tuple[str, ...]
    drill_seconds: float
    rebuild: str
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """A dry run of ``midden backup``: what a backup would hold."""

    outcome: str
    target: str
    observations: int
    entities: int

    def to_json(self) -> str:
        """Return the plan as one JSON document."""
        return document(self)


@dataclass(frozen=True, slots=True)
class ErasedLeftOut:
    """What lies with the database although it was erased, and is not in the backup.

    ``raw_files``: how many; ``logs``: the files of Neotoma's log that name something erased.
    """

    raw_files: int = 0
    logs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupReport:
    """One run of ``midden backup``.

    ``raw_folders``: where raw files were looked for. ``raw_files_held``: of those kept, the ones
    that only the vault still had. ``raw_files_missing``: named by the database, and nowhere.
    ``alarms``: what is less than it should be; ``drop``: the share of observations that is missing.
    ``frozen``: whether no backup may be removed. ``findings``: what SQLite finds wrong with the
    database, which is so in the backup, too. ``shares_with``: the backup of the same bytes, whose
    database file this one shares; empty where the database has changed.
    """

    run: str
    outcome: str
    backup: str
    folder: str
    kind: str
    target: str
    environment: str | None
    versions: tuple[str, str | None]
    observations: int
    entities: int
    newest: str | None
    database_bytes: int
    stored_bytes: int
    raw_folders: tuple[str, ...]
    raw_files_kept: int
    raw_files_held: int
    raw_files_missing: int
    raw_files_damaged: int
    logs: int
    drill: DrillSummary | None
    alarms: tuple[str, ...]
    drop: float
    frozen: bool
    seconds: Mapping[str, float]
    restore: str
    accept: str
    erase_again: str
    verify: str
    findings: tuple[str, ...] = ()
    erased_left_out: ErasedLeftOut = ErasedLeftOut()
    shares_with: str = ""
    page: str | None = None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


@dataclass(frozen=True, slots=True)
class ListedBackup:
    """One backup of the vault. ``standing``: good, unproven, failed, lossy or future.

    ``findings``: what was wrong with the database when it was taken. ``rewritten_at``: when it was
    rewritten without what was erased, if so.
    """

    number: int
    backup: str
    kind: str
    taken_at: str
    observations: int
    entities: int
    stored_bytes: int
    raw_files: int
    raw_files_missing: int
    raw_files_damaged: int
    standing: str
    level: str
    verified_at: str | None
    drop: float
    alarms: tuple[str, ...]
    pinned: str | None
    accepted: str | None
    findings: tuple[str, ...] = ()
    rewritten_at: str | None = None


@dataclass(frozen=True, slots=True)
class StrangeFile:
    """Something among the backups that is not a backup."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class BackupList:
    """The backups of a vault, oldest first."""

    vault: str
    listed: tuple[ListedBackup, ...]
    strange: tuple[StrangeFile, ...]
    complete: bool
    frozen: bool

    def to_json(self) -> str:
        """Return the list as one JSON document."""
        return document(self)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """One run of ``midden verify``.

    ``not_reached``: backups that time did not allow for. ``unread``: what may be a backup, too, and
    cannot be read.
    """

    run: str
    outcome: str
    drills: tuple[DrillSummary, ...]
    not_reached: tuple[str, ...]
    seconds: Mapping[str, float]
    unread: tuple[StrangeFile, ...] = ()
    page: str | None = None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


@dataclass(frozen=True, slots=True)
class PruneItem:
    """One backup, whether it stays, and why."""

    backup: str
    taken_at: str
    stays: bool
    reasons: tuple[str, ...]
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class PruneReport:
    """One run of ``midden prune``. ``held``: why nothing may be removed, empty where it may.

    ``removed``: how many backups go, with the bytes that this frees: a file that one which stays
    shares frees none. ``evidence``: that of earlier runs; ``evidence_removed``: how much goes.
    """

    run: str
    outcome: str
    rotation: tuple[PruneItem, ...]
    strange: tuple[StrangeFile, ...]
    held: str
    removed: int
    removed_bytes: int
    blobs_removed: int
    evidence: tuple[EvidenceItem, ...] = ()
    evidence_removed: int = 0
    evidence_bytes: int = 0
    undo: None = None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)
