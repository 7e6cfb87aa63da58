"""The scheduled repetition of drills, and telling of those that failed."""

from datetime import datetime
from pathlib import Path

from neotoma_core.backup.report import VerifyReport
from neotoma_core.backup.verify import VerifyRequest, verify_backups
from neotoma_core.errors import BackupNotIntact, VaultDamaged
from neotoma_core.report.progress import Silent
from neotoma_core.schedule.alerting import announce_failed_drills
from neotoma_core.vault.announcing import Alerting


def verify_database(request: VerifyRequest, alerting: Alerting, now: datetime) -> VerifyReport:
    """Drill the backups of one database that are due.

    Raises BackupNotIntact where one failed, once that is reported; VaultDamaged where what may be
    one cannot be read; and what ``verify_backups`` raises.
    """
    report = verify_backups(request, now, Silent())
    failed = [drill for drill in report.drills if drill.outcome == "fail"]
    if failed:
        announce_failed_drills(alerting, request.target, failed)
        raise BackupNotIntact(failed[0].backup, "; ".join(failed[0].reasons))
    for one in report.unread:
        raise VaultDamaged(Path(one.path), one.why, "restore it from a copy, or remove it")
    return report
