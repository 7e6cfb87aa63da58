"""Flow: restore backups to a scratch place again, and check what comes back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect import flow, unmapped
from prefect.logging import get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner

from neotoma_core.backup.drills.drill import DrillRules
from neotoma_core.backup.report import VerifyReport
from neotoma_core.backup.verify import VerifyRequest
from neotoma_core.schedule import drills as scheduled_drills
from neotoma_core.schedule.job import require_targets
from neotoma_core.settings.alerts import alerting
from neotoma_core.settings.environment import default_vault, key_source
from pipelines.running import run_in_sight
from pipelines.task_defaults import operation

verify_database = operation(scheduled_drills.verify_database).with_options(
    task_run_name="verify {request.target}"
)


@flow(
    name="verify-backups",
    # One at a time, as backups are. (Prefect types its runners too narrowly.)
    task_runner=ThreadPoolTaskRunner(max_workers=1),  # type: ignore[arg-type]
    persist_result=False,
)
def verify_backups(
    *,
    targets: list[Path],
    vault: Path | None = None,
    max_age_days: float = 7.0,
    max_minutes: float = 60.0,
) -> None:
    """Drill the backups of each of ``targets`` that were not verified for ``max_age_days``.

    No drill is begun after ``max_minutes``; the longest unverified come first. Fails where a drill
    failed, and without targets.
    """
    require_targets(targets)
    requests = [
        VerifyRequest(
            target,
            vault or default_vault(target),
            max_age=timedelta(days=max_age_days),
            max_duration=timedelta(minutes=max_minutes),
            rules=DrillRules(key_source()),
        )
        for target in targets
    ]
    alerts = [alerting(target) for target in targets]
    with run_in_sight():
        runs = verify_database.map(requests, alerts, unmapped(datetime.now(UTC)))
        runs.wait()
    for target, run in zip(targets, runs, strict=True):
        report = run.result(raise_on_failure=False)
        if isinstance(report, VerifyReport):
            get_run_logger().info("%s: %d backups restored and checked", target, len(report.drills))
    runs.result()
