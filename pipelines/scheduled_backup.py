"""Flow: back databases up, prove the backups, look for losses, rotate."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow, unmapped
from prefect.events import emit_event
from prefect.task_runners import ThreadPoolTaskRunner

from neotoma_core.schedule import job as scheduled
from neotoma_core.schedule.job import Scheduled
from neotoma_core.schedule.kept import kept_of
from neotoma_core.settings.alerts import alerting
from neotoma_core.settings.environment import (
    configuration,
    default_vault,
    key_source,
    raw_storage,
)
from pipelines.recording import record_scheduled
from pipelines.running import due_since, run_in_sight
from pipelines.task_defaults import operation

back_up_database = operation(scheduled.back_up_database).with_options(
    task_run_name="back up {job.target}"
)


@flow(
    name="scheduled-backup",
    # One at a time: a drill recomputes a whole database. (Prefect types its runners too narrowly.)
    task_runner=ThreadPoolTaskRunner(max_workers=1),  # type: ignore[arg-type]
    persist_result=False,
)
def scheduled_backup(
    *, targets: list[Path], vault: Path | None = None, interval_hours: float = 24.0
) -> None:
    """Back up each of ``targets``; what fails for one does not stop the others.

    ``vault``: of the one target, where there is only one. ``interval_hours``: how often this runs,
    so that a backup that is missing is noticed. A late run does nothing with a database that was
    backed up since it was due: what several were late for is made up once. Fails where a backup
    failed or something is lost, and without targets.
    """
    scheduled.require_targets(targets)
    now, since = datetime.now(UTC), due_since()
    jobs = [
        Scheduled(
            target,
            vault or default_vault(target),
            now,
            interval_hours,
            raw_storage(target),
            kept_of(configuration(), target),
            since,
        )
        for target in targets
    ]
    alerts = [alerting(target) for target in targets]
    with run_in_sight():
        runs = back_up_database.map(jobs, alerts, unmapped(key_source()))
        runs.wait()
    for job, told, run in zip(jobs, alerts, runs, strict=True):
        outcome = scheduled.conclude(job, run.result(raise_on_failure=False), told)
        record_scheduled(outcome)
        if outcome.event is not None:
            resource = {"prefect.resource.id": f"midden.database.{job.target.name}"}
            emit_event(outcome.event, resource, payload={"reasons": list(outcome.reasons)})
    runs.result()
