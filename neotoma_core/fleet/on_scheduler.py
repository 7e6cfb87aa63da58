"""Tasks on the workers of Dask, on this machine or others.

Only names and paths go there: each worker reads settings and keys where it is.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from neotoma_core.errors import MiddenError, ProcessLost, UsageError
from neotoma_core.files.private import keep_private
from neotoma_core.fleet.attempt import attempt, settle
from neotoma_core.fleet.report import FleetRow
from neotoma_core.fleet.task import FleetTask
from neotoma_core.settings.environment import choose_configuration, note_vaults
from neotoma_core.settings.fleet_table import FleetSettings
from neotoma_core.stages.connecting import connect_client

if TYPE_CHECKING:
    from distributed import Client


def run_on_scheduler(
    tasks: Sequence[FleetTask], settings: FleetSettings
) -> Iterator[tuple[FleetTask, FleetRow]]:
    """Yield each task with its row as it is done. What may pass is tried once more.

    Raises UsageError where no scheduler is named or Dask is not installed, SchedulerUnreachable,
    WorkersDiffer.
    """
    if settings.scheduler is None:
        raise UsageError(
            "--task-runner dask needs the address of a scheduler; name it with --scheduler, or in "
            "midden.toml: [fleet] scheduler"
        )
    client = connect_client(settings.scheduler)
    try:
        yield from _follow(client, tasks)
    finally:
        client.close()  # type: ignore[no-untyped-call]


def work_on_it(task: FleetTask, number: int, last: bool) -> FleetRow:  # noqa: FBT001 - as sent
    """Do a task on a worker: what it creates is its owner's alone, as everywhere."""
    keep_private()
    note_vaults()
    choose_configuration(task.file, None)  # whatever the worker was started with
    return attempt(task, number=number, last=last)


def _follow(client: "Client", tasks: Sequence[FleetTask]) -> Iterator[tuple[FleetTask, FleetRow]]:
    from distributed import as_completed  # noqa: PLC0415 - heavy, and optional

    def submit(task: FleetTask, number: int) -> Any:  # noqa: ANN401 - a future of Dask's
        last = number > 1
        return client.submit(work_on_it, task, number, last, pure=False, retries=0)

    known = {submit(task, 1): (task, 1) for task in tasks}
    following = as_completed(known, loop=client.loop)  # type: ignore[no-untyped-call]
    for future in following:
        task, number = known.pop(future)
        error = future.exception()
        if error is None:
            yield task, future.result()
        elif isinstance(error, MiddenError) and error.retryable and number == 1:
            again = submit(task, 2)
            known[again] = (task, 2)
            following.add(again)  # type: ignore[no-untyped-call]
        else:
            yield task, settle(task, _name_loss(task, error), 0.0, number)


def _name_loss(task: FleetTask, error: BaseException) -> MiddenError:
    if isinstance(error, MiddenError):
        return error
    return ProcessLost(task.label, f"was lost ({type(error).__name__})")
