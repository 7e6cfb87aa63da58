"""Flow: one operation over every database of the configuration file, a mapped task each."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from prefect import flow
from prefect.context import TaskRunContext
from prefect.futures import PrefectFutureList
from prefect.settings import PREFECT_API_URL
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from neotoma_core.errors import MiddenError, ProcessLost, UsageError
from neotoma_core.fleet.attempt import attempt, settle
from neotoma_core.fleet.report import FleetRow
from neotoma_core.fleet.run import FleetPlan, FleetRequest, conclude_run, plan_run
from neotoma_core.fleet.task import FleetOptions, FleetTask, Operation
from neotoma_core.settings import environment
from neotoma_core.settings.fleet_table import FleetSettings
from neotoma_core.stages.connecting import connect_client
from pipelines.recording import record_fleet
from pipelines.running import due_since, run_in_sight
from pipelines.task_defaults import RETRY_DELAYS_SECONDS, operation


class DatabaseFailed(MiddenError):
    """A database needs somebody: what fails its task, so that it is seen. ``row``: why."""

    def __init__(self, row: FleetRow) -> None:
        self.row = row
        super().__init__(f"{row.label}: {row.said}")


def work_on_one(task: FleetTask) -> FleetRow:
    """Do a task; raises what may pass while there is a retry, and DatabaseFailed for good."""
    environment.choose_configuration(task.file, None)  # a worker of Dask may have another
    context = TaskRunContext.get()
    number = context.task_run.run_count if context else 1
    row = attempt(task, number=number, last=number > len(RETRY_DELAYS_SECONDS))
    if row.is_alarming:
        raise DatabaseFailed(row)
    return row


work_on_database = operation(work_on_one).with_options(
    name="database", task_run_name="{task.label}"
)


@flow(name="fleet", flow_run_name="{operation}", persist_result=False)
def fleet(  # noqa: PLR0913 - one parameter per option of an operation
    *,
    operation: Operation,
    configuration: Path | None = None,
    names: list[str] | None = None,
    task_runner: Literal["threads", "dask"] | None = None,
    interval_hours: float = 24.0,
    max_age_days: float = 7.0,
    max_minutes: float | None = None,
    to: Path | None = None,
) -> None:
    """Do ``operation`` with the databases of ``configuration``, by default the user's own file.

    ``names``: some of them. ``task_runner``: by default what the file says. Fails where a database
    needs somebody, once all of them are done.
    """
    began, now = time.monotonic(), datetime.now(UTC)
    if configuration is not None:
        environment.choose_configuration(configuration, None)
    known = environment.configuration()
    age, longest = timedelta(days=max_age_days), timedelta(minutes=max_minutes or 0) or None
    options = FleetOptions(interval_hours, age, longest, (), to, since=due_since())
    settings = replace(known.fleet, task_runner=task_runner or _known_runner(known.fleet))
    request = FleetRequest(operation, tuple(names or ()), options, settings)
    plan = plan_run(request, known, now)
    with run_in_sight():
        rows = _work(plan, settings, operation)
    report = conclude_run(request, known, plan, rows, now, time.monotonic() - began)
    record_fleet(report)
    report.require_well()


def _work(plan: FleetPlan, settings: FleetSettings, called: str) -> list[FleetRow]:
    """Run every task, in a flow of its own, since what runs tasks is chosen for a whole flow."""

    @flow(name="fleet-databases", flow_run_name=called, task_runner=runner_of(settings))
    def work_on_all() -> list[FleetRow]:
        futures: PrefectFutureList[Any] = work_on_database.map(list(plan.tasks))
        futures.wait()
        return [
            row_of(task, future.result(raise_on_failure=False))
            for task, future in zip(plan.tasks, futures, strict=True)
        ]

    return [*plan.refused, *(work_on_all() if plan.tasks else ())]


def _known_runner(settings: FleetSettings) -> Literal["threads", "dask"]:
    """Return the runner that the file names; Prefect has no processes apart: threads."""
    return "dask" if settings.task_runner == "dask" else "threads"


def row_of(task: FleetTask, result: object) -> FleetRow:
    """Return the row of a task, from what it returned or raised at last."""
    if isinstance(result, FleetRow):
        return result
    if isinstance(result, DatabaseFailed):
        return result.row
    if isinstance(result, MiddenError):
        return settle(task, result, 0.0)
    return settle(task, ProcessLost(task.label, f"was lost ({type(result).__name__})"), 0.0)


def runner_of(settings: FleetSettings) -> TaskRunner[Any]:
    """Return what runs the tasks of a flow.

    Raises UsageError, SchedulerUnreachable, WorkersDiffer where Dask cannot.
    """
    if settings.task_runner != "dask":
        return ThreadPoolTaskRunner(max_workers=settings.workers)
    if settings.scheduler is None:
        raise UsageError("task_runner dask needs a scheduler; name it in [fleet] of midden.toml")
    if PREFECT_API_URL.value() is None:
        raise UsageError(
            "task_runner dask needs a Prefect server that the workers reach: set PREFECT_API_URL"
        )
    connect_client(settings.scheduler).close()  # type: ignore[no-untyped-call]
    from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415 - optional

    runner: TaskRunner[Any] = DaskTaskRunner(address=settings.scheduler)
    return runner
