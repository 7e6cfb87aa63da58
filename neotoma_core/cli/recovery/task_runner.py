"""Who does a job that is larger than memory: threads of this process, or workers of a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from neotoma_core.errors import UsageError

if TYPE_CHECKING:
    from neotoma_core.restore.from_archive import RestoreArchiveRequest
    from neotoma_core.stages.places import Place
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
    help="Where the parts of the job are while it runs: a folder [default: the vault]. Workers of "
    "a cluster all have to see it, by the same path, or it is an address of a store, as "
    "s3://BUCKET/PREFIX, for which each has credentials.",
    show_default=False,
)


@dataclass(frozen=True, slots=True)
class Means:
    """What the user named for a job that is larger than memory."""

    runner: TaskRunner
    scheduler: str | None
    parts: Path | None

    @property
    def reads_here(self) -> bool:
        """Whether this process reads the archive, and not workers."""
        return self.runner is TaskRunner.THREADS

    @property
    def is_plain(self) -> bool:
        """Whether nothing was named."""
        return self.reads_here and self.scheduler is None and self.parts is None


@contextmanager
def work_of(means: Means, asked: "RestoreArchiveRequest") -> Iterator["Work"]:
    """Yield how the job is done, connected to the scheduler if it has one.

    Raises UsageError, ClusterError.
    """
    from neotoma_core.settings.fleet_table import is_scheduler
    from neotoma_core.stages.places import Folder

    place = _place_of(means.parts) if means.parts is not None else None
    if means.reads_here:
        if means.scheduler is not None:
            raise UsageError("--scheduler goes with --task-runner dask")
        yield replace(asked.job, place=place)
        return
    if means.scheduler is None or place is None:
        raise UsageError(
            "--task-runner dask: name the scheduler with --scheduler, and with --parts a folder "
            "that all workers see, or an address of a store"
        )
    if not is_scheduler(means.scheduler):  # and it is not repeated: it may hold a password
        raise UsageError("--scheduler: not an address; write it like tcp://10.0.0.5:8786")
    from neotoma_core.stages.cluster import connect_cluster

    with connect_cluster(means.scheduler) as cluster:
        cluster.require_seen(asked.job.origin or Folder(asked.archive.absolute()), place)
        yield replace(asked.job, runner=cluster, place=place)


def _place_of(parts: Path) -> "Place":
    """Return the folder or the address of a store for the parts; raises UsageError."""
    from neotoma_core.settings.environment import store_options
    from neotoma_core.stages.places import Folder, OnStore
    from neotoma_core.stores.names import url_of
    from neotoma_core.stores.opening import hold_store

    url = url_of(parts)
    if url is not None:
        with hold_store(url, store_options()) as store:
            return OnStore(store.url, store_options())
    if not parts.is_dir():
        raise UsageError(f"--parts {parts}: there is no such folder; make it first")
    return Folder(parts.absolute())
