"""Tasks on the workers of Dask, on this machine or others.

Only names and paths go there: each worker reads settings and keys where it is. Before anything is
begun, the scheduler has to answer, to have workers, and to run the same versions.
"""

import asyncio
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from neotoma_core.errors import (
    MiddenError,
    SchedulerUnreachable,
    UsageError,
    WorkerLost,
    WorkersDiffer,
)
from neotoma_core.files.private import keep_private
from neotoma_core.fleet.attempt import attempt, settle
from neotoma_core.fleet.report import FleetRow
from neotoma_core.fleet.task import FleetTask
from neotoma_core.settings.environment import choose_configuration, note_vaults
from neotoma_core.settings.fleet_table import FleetSettings

if TYPE_CHECKING:
    from distributed import Client

PATIENCE_SECONDS: Final = 10.0
_SAME: Final = ("midden", "dask", "distributed")


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
    client = connect(settings.scheduler)
    try:
        yield from _follow(client, tasks)
    finally:
        client.close()  # type: ignore[no-untyped-call]


def connect(address: str, patience: float = PATIENCE_SECONDS) -> "Client":
    """Return a client of a scheduler that has workers of the versions that run here.

    Raises UsageError, SchedulerUnreachable, WorkersDiffer.
    """
    try:
        from distributed import Client  # noqa: PLC0415 - heavy, and optional
    except ImportError:
        raise UsageError(
            "Dask is not installed; install midden with its dask extra, or leave --task-runner out"
        ) from None
    require_answer(address, patience)
    try:
        client = Client(address, timeout=patience, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError):
        raise SchedulerUnreachable(address, "it does not answer") from None
    try:
        require_workers(client, address, patience)
    except BaseException:
        client.close()  # type: ignore[no-untyped-call]
        raise
    return client


def require_answer(address: str, patience: float) -> None:
    """Raise SchedulerUnreachable where no scheduler answers in time.

    Dask's own client waits for ever for something that accepts a connection and says nothing.
    """
    from distributed.core import rpc  # noqa: PLC0415 - heavy, and optional

    host, _, port = address.rpartition("://")[2].rpartition(":")

    async def ask() -> None:
        async with rpc(address, timeout=patience) as scheduler:  # type: ignore[no-untyped-call]
            await scheduler.identity(n_workers=0)

    try:
        socket.create_connection((host, int(port)), patience).close()  # soon, where nothing listens
        asyncio.run(asyncio.wait_for(ask(), patience))
    except (OSError, TimeoutError, ValueError):
        raise SchedulerUnreachable(address, "it does not answer") from None


def require_workers(client: "Client", address: str, patience: float = PATIENCE_SECONDS) -> None:
    """Raise SchedulerUnreachable where there is no worker, WorkersDiffer for other versions."""
    end = time.monotonic() + patience
    while not client.scheduler_info(n_workers=-1)["workers"]:
        if time.monotonic() > end:
            raise SchedulerUnreachable(address, "it has no workers")
        time.sleep(0.1)
    differing = find_differing(here=versions_here(), there=_versions_there(client, address))
    if differing:
        raise WorkersDiffer(address, differing)


def _versions_there(client: "Client", address: str) -> Mapping[str, object]:
    """Return the versions of each worker, by its address; an error where it has no midden."""
    try:
        found: dict[str, Any] = client.run(versions_here, on_error="return")
    except (OSError, TimeoutError):
        raise SchedulerUnreachable(address, "it stopped answering") from None
    return found


def versions_here() -> dict[str, str]:
    """Return what has to be the same on all machines."""
    return {name: _version(name) for name in _SAME}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def find_differing(here: Mapping[str, str], there: Mapping[str, object]) -> str:
    """Return in words what a worker has otherwise than this process; empty where nothing."""
    for worker, versions in sorted(there.items()):
        if not isinstance(versions, dict):
            return f"its worker {worker} cannot load midden"
        for name, ours in here.items():
            theirs = versions.get(name, "none")
            if theirs != ours:
                return f"its worker {worker} has {name} {theirs}, and here it is {ours}"
    return ""


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
    return WorkerLost(task.label, f"was lost ({type(error).__name__})")
