"""Who does a job that is larger than memory: threads of this process, or workers of a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from neotoma_core.errors import UsageError

if TYPE_CHECKING:
    from neotoma_core.stages.runner import Work


class TaskRunner(StrEnum):
    """Who does the tasks of a job."""

    THREADS = "threads"
    DASK = "dask"


TASK_RUNNER_OPTION: Final = typer.Option(
    help="Who works on the archive: threads of this process, or dask: workers of a cluster."
)
SCHEDULER_OPTION: Final = typer.Option(
    help="The address of the Dask scheduler, as tcp://HOST:PORT.", show_default=False
)
PARTS_OPTION: Final = typer.Option(
    help="A folder for the parts of the job while it runs [default: the vault]. Workers of a "
    "cluster all have to see it, by the same path.",
    show_default=False,
)


@contextmanager
def work_of(
    runner: TaskRunner, scheduler: str | None, parts: Path | None, archive: Path
) -> Iterator["Work"]:
    """Yield how the job is done, connected to the scheduler if it has one.

    Raises UsageError, ClusterError.
    """
    from neotoma_core.settings.fleet_table import is_scheduler
    from neotoma_core.stages.runner import Work

    if parts is not None and not parts.is_dir():
        raise UsageError(f"--parts {parts}: there is no such folder; make it first")
    if runner is TaskRunner.THREADS:
        if scheduler is not None:
            raise UsageError("--scheduler goes with --task-runner dask")
        yield Work(place=parts)
        return
    if scheduler is None or parts is None:
        raise UsageError(
            "--task-runner dask: name the scheduler with --scheduler, and with --parts a folder "
            "that all workers see"
        )
    if not is_scheduler(scheduler):  # and it is not repeated: it may hold a password
        raise UsageError("--scheduler: not an address; write it like tcp://10.0.0.5:8786")
    from neotoma_core.stages.cluster import connect_cluster

    with connect_cluster(scheduler) as cluster:
        cluster.require_seen(archive, parts)
        yield Work(cluster, parts.absolute())
