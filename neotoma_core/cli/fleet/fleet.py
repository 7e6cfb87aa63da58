"""``midden fleet``: one operation over every database of midden.toml."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.terminal.options import JSON_OPTION
from neotoma_core.cli.terminal.spans import span_of
from neotoma_core.cli.terminal.strict import StrictCommand
from neotoma_core.errors import UsageError

if TYPE_CHECKING:
    from neotoma_core.fleet.task import FleetOptions, Operation
    from neotoma_core.settings.fleet_table import FleetSettings

_MOST: Final = 1_000

fleet = typer.Typer(
    help="One operation over every database of midden.toml.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class TaskRunner(StrEnum):
    """What works on the databases."""

    PROCESSES = "processes"
    THREADS = "threads"
    DASK = "dask"


Names = Annotated[
    list[str] | None,
    typer.Argument(
        help="Databases, by their names in midden.toml [default: all].",
        metavar="[NAME]...",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=_MOST,
        help="Databases at once [default: that of midden.toml, or 2].",
        show_default=False,
    ),
]
PerDisk = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=_MOST,
        help="Of them, with vaults on one disk [default: that of midden.toml, or 2].",
        show_default=False,
    ),
]
Runner = Annotated[
    TaskRunner | None,
    typer.Option(
        help="What works on them [default: that of midden.toml, or processes].",
        show_default=False,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="With dask: the address of its scheduler, like tcp://10.0.0.5:8786 [default: that of "
        "midden.toml].",
        show_default=False,
    ),
]
Json = Annotated[bool, JSON_OPTION]


@fleet.command(cls=StrictCommand)
def status(
    *,
    names: Names = None,
    workers: Workers = None,
    per_disk: PerDisk = None,
    task_runner: Runner = None,
    scheduler: Scheduler = None,
    json: Json = False,
) -> int:
    """Say which databases lost data or lack protection.

    Each is compared with the backups of its own vault; nothing is searched. Exit code 6: one looks
    wiped or damaged, has no backup, or a backup is overdue. Exit code 11: one could not be read.
    """
    settings = _settings(workers, per_disk, task_runner, scheduler)
    return _run("status", names, None, settings, json=json)


@fleet.command(cls=StrictCommand)
def backup(
    *,
    names: Names = None,
    workers: Workers = None,
    per_disk: PerDisk = None,
    task_runner: Runner = None,
    scheduler: Scheduler = None,
    json: Json = False,
) -> int:
    """Back up, prove and rotate every database, and notify as scheduled.

    Each has its own vault, retention and notifications of midden.toml. One that fails does not stop
    the others, and what may pass is tried once more at the end. The exit code is that of the worst.
    """
    settings = _settings(workers, per_disk, task_runner, scheduler)
    return _run("backup", names, None, settings, json=json)


@fleet.command(cls=StrictCommand)
def verify(
    *,
    names: Names = None,
    max_age: Annotated[
        str, typer.Option(help="Only backups not verified within this period; 0s for all.")
    ] = "7d",
    max_duration: Annotated[
        str | None,
        typer.Option(
            help="Start no new drill of a database after this time, e.g. 10m.", show_default=False
        ),
    ] = None,
    workers: Workers = None,
    per_disk: PerDisk = None,
    task_runner: Runner = None,
    scheduler: Scheduler = None,
    json: Json = False,
) -> int:
    """Prove the backups of every database by restoring them.

    Exit code 5: a drill failed, and that is notified. Exit code 3: not all could be checked.
    """
    from neotoma_core.fleet.task import FleetOptions

    options = FleetOptions(
        max_age=span_of(max_age, "--max-age"), max_duration=span_of(max_duration, "--max-duration")
    )
    settings = _settings(workers, per_disk, task_runner, scheduler)
    return _run("verify", names, options, settings, json=json)


@fleet.command(cls=StrictCommand)
def find(
    *,
    names: Names = None,
    search: Annotated[
        list[Path] | None,
        typer.Option(
            help="Where more copies of each may be; repeat it [default: its vault only].",
            show_default=False,
        ),
    ] = None,
    workers: Workers = None,
    per_disk: PerDisk = None,
    task_runner: Runner = None,
    scheduler: Scheduler = None,
    json: Json = False,
) -> int:
    """Count the copies of every database, and what they hold."""
    from neotoma_core.fleet.task import FleetOptions

    for path in search or ():
        if not path.exists():
            raise UsageError(f"--search {path}: there is no such file or folder")
    options = FleetOptions(search=tuple(path.absolute() for path in search or ()))
    settings = _settings(workers, per_disk, task_runner, scheduler)
    return _run("find", names, options, settings, json=json)


def _settings(
    workers: int | None,
    per_disk: int | None,
    task_runner: TaskRunner | None,
    scheduler: str | None,
) -> "FleetSettings":
    """Return what the command line says, and else the file."""
    from neotoma_core.settings.environment import configuration
    from neotoma_core.settings.fleet_table import is_scheduler

    if scheduler is not None and not is_scheduler(scheduler):
        raise UsageError("--scheduler: not an address; write it like tcp://10.0.0.5:8786")
    said = configuration().fleet
    if scheduler is not None and (task_runner or said.task_runner) != TaskRunner.DASK:
        raise UsageError("--scheduler goes with --task-runner dask")
    return replace(
        said,
        task_runner=task_runner.value if task_runner else said.task_runner,
        scheduler=scheduler or said.scheduler,
        workers=workers or said.workers,
        per_disk=per_disk or said.per_disk,
    )


def _run(
    operation: "Operation",
    names: list[str] | None,
    options: "FleetOptions | None",
    settings: "FleetSettings",
    *,
    json: bool,
) -> int:
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.fleet.run import FleetRequest, run_fleet
    from neotoma_core.fleet.task import FleetOptions
    from neotoma_core.fleet.text import fleet_text
    from neotoma_core.settings.environment import configuration

    request = FleetRequest(operation, tuple(names or ()), options or FleetOptions(), settings)
    with TerminalProgress() as progress:
        report = run_fleet(request, configuration(), datetime.now(UTC), progress)
        progress.pause()
    print(report.to_json() if json else fleet_text(report))
    return report.exit_code
