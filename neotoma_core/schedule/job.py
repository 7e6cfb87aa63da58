"""The scheduled job: backup, drill, anomaly check, rotation, and telling how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from neotoma_core.backup.protection import TakenSince, record_schedule
from neotoma_core.backup.prune import prune_backups
from neotoma_core.backup.report import BackupReport, PruneReport
from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.retention import DEFAULT, RetentionPolicy
from neotoma_core.backup.take import back_up
from neotoma_core.errors import AnomalyFound, BackupNotIntact, MiddenError, UsageError, VaultLocked
from neotoma_core.files.keys import KeySource
from neotoma_core.report.progress import Silent
from neotoma_core.schedule.alerting import announce, announce_failure
from neotoma_core.vault.announcing import Alerting

_COMPARED: Final = 2  # copies that old evidence is compared with: the database, the newest backup


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One database to back up, at one time, every so many hours.

    ``raw_storage``: where Neotoma keeps its raw files, if not next to it. ``kept``: how many
    backups stay. ``since``: when it was due: nothing is done if a backup was taken since.
    """

    target: Path
    vault: Path
    now: datetime
    interval_hours: float = 24.0
    raw_storage: Path | None = None
    kept: RetentionPolicy = DEFAULT
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScheduledReport:
    """A backup that was taken and the rotation after it, if any. ``untold``: what was not sent."""

    backup: BackupReport
    rotation: PruneReport | None
    untold: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotDue:
    """A job for which nothing was to be done: ``backup`` was taken since it was due."""

    target: str
    backup: str

    @property
    def said(self) -> str:
        """That as a line."""
        return f"{self.target}: nothing is due; backup {self.backup} was taken since"


@dataclass(frozen=True, slots=True)
class ScheduledOutcome:
    """How a job ended: ``event``, the name of what others should hear of, if there is anything."""

    target: str
    event: str | None
    reasons: tuple[str, ...]
    report: ScheduledReport | None = None


def require_targets(targets: Sequence[Path]) -> None:
    """Raise UsageError where a schedule protects nothing: that is not a success."""
    if not targets:
        raise UsageError(
            "targets: no database is named, so none would be protected; name them in the "
            "deployment's parameters"
        )


def back_up_database(
    job: Scheduled, alerting: Alerting, key: KeySource | None
) -> ScheduledReport | NotDue:
    """Back up, prove, compare and rotate one database, and tell how that went.

    What several runs were late for is done once: those that come after it are not due.

    Raises AnomalyFound where something is missing and BackupNotIntact where the drill failed, once
    all of that is done; and what ``back_up`` raises, which ``conclude`` tells.
    """
    request = BackupRequest(
        job.target,
        job.vault,
        kind="scheduled",
        key=key,
        raw_storage=job.raw_storage,
        since=job.since,
    )
    try:
        backup = back_up(request, job.now, Silent())
    except TakenSince as taken:
        return NotDue(str(job.target), taken.backup)
    rotation = _rotate(job)
    untold = announce(alerting, job.vault, backup, job.now)
    if backup.alarms:
        raise AnomalyFound(backup.backup, backup.alarms, backup.accept)
    if backup.drill is not None and backup.drill.outcome == "fail":
        raise BackupNotIntact(backup.backup, "; ".join(backup.drill.reasons))
    return ScheduledReport(backup, rotation, untold)


def _rotate(job: Scheduled) -> PruneReport | None:
    """Rotate; None where another run uses the vault: the backup is there, and next time will do."""
    try:
        record_schedule(job.vault, timedelta(hours=job.interval_hours))
        return prune_backups(
            job.vault, job.target, job.kept, job.now, lambda _: True, compared=_COMPARED
        )
    except VaultLocked:
        return None


def conclude(job: Scheduled, result: object, alerting: Alerting) -> ScheduledOutcome:
    """Return how a job ended, from its report or the error it raised at last.

    That no backup was taken is reported here, where it is known that there is no retry.
    """
    target = str(job.target)
    if isinstance(result, ScheduledReport):
        return ScheduledOutcome(target, None, (), result)
    if isinstance(result, NotDue):
        return ScheduledOutcome(target, None, (result.said,))
    if isinstance(result, AnomalyFound):
        return ScheduledOutcome(target, "midden.anomaly", result.alarms)
    reason = str(result) if isinstance(result, MiddenError) else type(result).__name__
    if not isinstance(result, BackupNotIntact):
        announce_failure(alerting, job.vault, job.target, reason, job.now)
    return ScheduledOutcome(target, "midden.backup-failed", (reason,))
