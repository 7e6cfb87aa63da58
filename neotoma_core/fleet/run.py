"""A run over a fleet: what is refused, what is to be done, by what, and the report of it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from neotoma_core.errors import MiddenError, UsageError
from neotoma_core.find.board.keeping import KeptBoard
from neotoma_core.fleet.attempt import make_row
from neotoma_core.fleet.dispatch import OwnThread, spread
from neotoma_core.fleet.entries import FleetEntry, plan_fleet
from neotoma_core.fleet.processes import ProcessHand
from neotoma_core.fleet.report import FleetReport, FleetRow, worst_code
from neotoma_core.fleet.task import FleetOptions, FleetTask, Operation
from neotoma_core.push.job import announce_unknown, remotes_to_push
from neotoma_core.report.progress import Progress
from neotoma_core.settings.alerts import push_alerting_by
from neotoma_core.settings.configuration import Configuration
from neotoma_core.settings.fleet_table import FleetSettings

Running = Callable[[Sequence[FleetTask], FleetSettings], Iterator[tuple[FleetTask, FleetRow]]]
_KEEPS_PAGES: Final = ("backup", "verify")


@dataclass(frozen=True, slots=True)
class FleetRequest:
    """What is asked for. ``names``: of the databases, all of them where none is named.

    ``settings``: what runs it, and how many at once.
    """

    operation: Operation
    names: tuple[str, ...] = ()
    options: FleetOptions = field(default_factory=FleetOptions)
    settings: FleetSettings = field(default_factory=FleetSettings)


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What a run does: its ``tasks``, and the rows of what it does not do. ``labels``: in order."""

    tasks: tuple[FleetTask, ...]
    refused: tuple[FleetRow, ...]
    labels: tuple[str, ...]


def plan_run(request: FleetRequest, known: Configuration, now: datetime) -> FleetPlan:
    """Return what a run over the configured databases does. Raises UsageError.

    A push is one task per remote; a database without remotes has none.
    """
    options = replace(request.options, per_disk=request.settings.per_disk)
    tasks: list[FleetTask] = []
    refused: list[FleetRow] = []
    labels: list[str] = []
    for entry in plan_fleet(known, request.names):
        task = FleetTask(
            request.operation,
            entry.name,
            entry.target,
            entry.vault,
            known.file.absolute(),
            now,
            None,
            options,
        )
        if entry.refusal is not None:
            refused.append(_refuse(task, f"{known.file}: databases.{entry.name}: {entry.refusal}"))
        elif request.operation == "push":
            pushes, row = _plan_pushes(known, entry, task)
            tasks += pushes
            refused += [row] if row else []
            labels += [push.label for push in pushes]
        else:
            tasks.append(task)
        labels.append(entry.name)
    return FleetPlan(tuple(tasks), tuple(refused), tuple(labels))


def _refuse(task: FleetTask, why: str) -> FleetRow:
    return make_row(task, "refused", UsageError.exit_code, UsageError.__name__, why)


def _plan_pushes(
    known: Configuration, entry: FleetEntry, task: FleetTask
) -> tuple[list[FleetTask], FleetRow | None]:
    database = known.find(entry.name)
    settings = database.settings if database else None
    try:
        names = remotes_to_push(entry.vault, settings.remotes if settings else None)
    except MiddenError as error:
        if settings is not None:
            announce_unknown(push_alerting_by(settings.notifying), entry.target, error)
        kind = type(error).__name__
        return [], make_row(task, "failed", error.exit_code, kind, str(error))
    if not names:
        return [], make_row(task, "ok", 0, None, "no remote")
    return [replace(task, remote=name) for name in names], None


def run_fleet(
    request: FleetRequest,
    known: Configuration,
    now: datetime,
    progress: Progress,
    running: Running | None = None,
) -> FleetReport:
    """Do an operation with every database; return how each went.

    ``running``: what runs the tasks; None for what the settings say. Raises UsageError,
    SchedulerUnreachable, WorkersDiffer, before anything is done.
    """
    began = time.monotonic()
    plan = plan_run(request, known, now)
    progress.begin("databases", len(plan.tasks))
    rows: list[FleetRow] = list(plan.refused)
    run = running or RUNNING[request.settings.task_runner]
    for _, row in run(plan.tasks, request.settings):
        rows.append(row)
        progress.advance(1)
    return conclude_run(request, known, plan, rows, now, time.monotonic() - began)


def conclude_run(  # noqa: PLR0913, PLR0917 - what a report is made of
    request: FleetRequest,
    known: Configuration,
    plan: FleetPlan,
    rows: Sequence[FleetRow],
    now: datetime,
    seconds: float,
) -> FleetReport:
    """Return the report of a run, its rows in the order of the file; keep the pages current."""
    place = {label: number for number, label in enumerate(plan.labels)}
    ordered = tuple(sorted(rows, key=lambda row: place.get(row.label, len(place))))
    if request.operation in _KEEPS_PAGES:
        keep_pages(known, {row.name for row in ordered}, now)
    return FleetReport(
        at=now.isoformat(),
        operation=request.operation,
        runner=request.settings.task_runner,
        workers=request.settings.workers,
        rows=ordered,
        seconds=round(seconds, 3),
        exit_code=worst_code(ordered),
    )


def keep_pages(known: Configuration, names: set[str], now: datetime) -> None:
    """Keep the pages current that the file names for these databases, each once."""
    chosen = [one for one in known.databases if one.name in names]
    pages = tuple(dict.fromkeys(one.settings.page for one in chosen if one.settings.page))
    if pages:
        KeptBoard([one.path for one in chosen], None, pages, lambda: now).refresh()


def in_threads(
    tasks: Sequence[FleetTask], settings: FleetSettings
) -> Iterator[tuple[FleetTask, FleetRow]]:
    """Run tasks in threads of this process."""
    hands = [OwnThread() for _ in range(_hands(tasks, settings))]
    yield from spread(tasks, hands, settings.per_disk)


def in_processes(
    tasks: Sequence[FleetTask], settings: FleetSettings
) -> Iterator[tuple[FleetTask, FleetRow]]:
    """Run tasks in processes apart; each does many."""
    hands = [ProcessHand() for _ in range(_hands(tasks, settings))]
    yield from spread(tasks, hands, settings.per_disk)


def on_dask(
    tasks: Sequence[FleetTask], settings: FleetSettings
) -> Iterator[tuple[FleetTask, FleetRow]]:
    """Run tasks on the workers of Dask; see ``on_scheduler``."""
    from neotoma_core.fleet.on_scheduler import run_on_scheduler  # noqa: PLC0415 - heavy

    yield from run_on_scheduler(tasks, settings)


def _hands(tasks: Sequence[FleetTask], settings: FleetSettings) -> int:
    return max(1, min(settings.workers, len(tasks)))


RUNNING: Final[Mapping[str, Running]] = {
    "processes": in_processes,
    "threads": in_threads,
    "dask": on_dask,
}
