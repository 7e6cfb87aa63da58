"""``backup_now``, and the backup before every recovery: taken, and proven."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from neotoma_core.agents.answers import Done
from neotoma_core.agents.audit import stamp
from neotoma_core.agents.refusals import Refused
from neotoma_core.agents.scope import Protected, Scope
from neotoma_core.backup.report import BackupReport
from neotoma_core.backup.reporting import report_listing
from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.take import back_up
from neotoma_core.errors import BackupNotIntact, TargetRuined
from neotoma_core.report.progress import Progress
from neotoma_core.vault.backups import list_backups

KIND_BEFORE: Final = "before-recover"
BACKUPS_AN_HOUR: Final = 6


def back_up_target(scope: Scope, protected: Protected, progress: Progress) -> BackupReport | None:
    """Back the target up and prove that; None where there is none, or a ruin, which is evidence.

    Raises BackupNotIntact, and what ``back_up`` raises.
    """
    if not protected.path.exists():
        return None
    request = BackupRequest(
        protected.path,
        protected.vault,
        KIND_BEFORE,
        expect_empty=True,
        key=scope.key,
        raw_storage=protected.raw_storage,
    )
    try:
        report = back_up(request, scope.clock(), progress)
    except TargetRuined:
        return None
    drill = report.drill
    if drill is None or not (drill.outcome == "pass" or drill.level == "restored"):
        wrong = "; ".join(drill.reasons) if drill else "it was not verified"
        raise BackupNotIntact(report.backup, wrong)
    return report


def backup_now(scope: Scope, target: str, progress: Progress) -> Done:
    """Take a backup and prove it. Raises Refused where there were very many in the last hour."""
    protected, now = scope.target(target), scope.clock()
    _require_few_backups(protected.vault, now)
    request = BackupRequest(
        protected.path, protected.vault, key=scope.key, raw_storage=protected.raw_storage
    )
    report = back_up(request, now, progress)
    passed = report.drill is not None and report.drill.outcome == "pass"
    then = "the backup is verified; call get_status"
    if report.alarms:
        then = "the backup lacks data that earlier ones have: call get_status, then find_copies"
    elif not passed:
        then = "the backup was taken but not proven: ask the person to run `midden verify`"
    return Done(
        outcome=report.outcome,
        target=str(protected.path),
        run=report.run,
        backup=report.backup,
        backup_verified=passed,
        observations_after=report.observations,
        next_step=then,
    )


def _require_few_backups(vault: Path, now: datetime) -> None:
    listed = report_listing(str(vault), list_backups(vault), now).listed
    since = stamp(now - timedelta(hours=1))
    recent = [one for one in listed if one.kind == "manual" and one.taken_at[:19] >= since[:19]]
    if len(recent) >= BACKUPS_AN_HOUR:
        raise Refused(
            "TOO_MANY_BACKUPS",
            f"{len(recent)} backups were taken in the last hour; nothing was done",
            "call list_backups; one of them can be used",
            retryable=True,
        )
