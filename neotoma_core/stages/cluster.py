"""Workers of a Dask cluster, as the runner of a job.

Tasks and their results are small: rows are in files that every worker sees. A worker may die at any
time: what it was doing is done again by another, and what it had done is found in its parts.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from neotoma_core.errors import (
    ClusterError,
    SchedulerUnreachable,
    UsageError,
    WorkerLost,
    WorkersDiffer,
)

if TYPE_CHECKING:
    from distributed import Client

Task = TypeVar("Task")
Result = TypeVar("Result")

_PATIENCE: Final = 10  # seconds until a scheduler has answered
_SAME: Final = ("midden", "polars", "pyarrow", "duckdb", "deltalake", "dask", "distributed")
_SEEN_BY_ALL: Final = "name a folder that all workers see, by the same path"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The workers behind a scheduler. ``address``: the scheduler's."""

    client: "Client"
    address: str

    @property
    def is_apart(self) -> bool:
        """They are other processes, perhaps on other machines."""
        return True

    def run(self, work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Yield the result of each task, in their order.

        Raises what a task raised, WorkerLost, SchedulerUnreachable.
        """
        from distributed.scheduler import KilledWorker  # noqa: PLC0415 - only where it is used

        job = f"{type(tasks[0]).__name__ if tasks else ''}-{uuid.uuid4().hex}"
        keys = [f"{job}-{number}" for number in range(len(tasks))]
        futures = self.client.map(work, tasks, key=keys, pure=False)
        try:
            for future in futures:
                yield future.result()
        except KilledWorker as error:
            wrong = f"{error.allowed_failures + 1} workers died, one after another, over one task"
            advice = "look at their logs; give each more memory, or use fewer threads in each"
            raise WorkerLost(self.address, wrong, advice) from None
        except _broken_connections() as error:
            raise SchedulerUnreachable(self.address, "the connection to it broke") from error
        finally:
            self.client.cancel(futures, force=True)  # type: ignore[no-untyped-call]

    def require_seen(self, *places: Path) -> None:
        """Raise ClusterError unless every worker sees these files and folders."""
        names = [str(place.absolute()) for place in places]
        for worker, unseen in self.client.run(find_unseen, names).items():
            for name in unseen:
                raise ClusterError(self.address, f"{worker} does not see {name}", _SEEN_BY_ALL)


def find_unseen(names: Sequence[str]) -> list[str]:
    """Return which of these files and folders are not there."""
    return [name for name in names if not Path(name).exists()]


@contextmanager
def connect_cluster(address: str) -> Iterator[Cluster]:
    """Connect to the scheduler at an address, whose workers have the versions of this process.

    Raises UsageError where Dask is not installed or the address is invalid, SchedulerUnreachable,
    WorkersDiffer.
    """
    try:
        from distributed import Client  # noqa: PLC0415 - only where it is used
    except ImportError as error:
        raise UsageError(
            "--task-runner dask: Dask is not installed; install it with `pip install "
            "'midden[dask]'`"
        ) from error
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=_PATIENCE, set_as_default=False
        )
    except ValueError as error:
        raise UsageError(
            f"--scheduler {address}: not an address; write it as tcp://HOST:PORT"
        ) from error
    except OSError as error:  # a timeout is one, too
        wrong = f"it did not answer within {_PATIENCE} seconds"
        raise SchedulerUnreachable(address, wrong) from error
    with client:
        cluster = Cluster(client, address)
        _require_workers(cluster)
        yield cluster


def _require_workers(cluster: Cluster) -> None:
    told: Any = cluster.client.get_versions(check=False, packages=list(_SAME))
    workers = told["workers"]
    if not workers:
        raise SchedulerUnreachable(cluster.address, "it has no worker")
    ours = {"python": _python(told["client"]), **own_versions()}
    for worker, facts in sorted(workers.items()):
        theirs = {**(facts["packages"] if facts else {})}
        theirs["python"] = _python(facts)
        for name, expected in ours.items():
            if theirs.get(name) != expected:
                wrong = f"{worker} has {name} {theirs.get(name) or '(none)'}, not {expected}"
                advice = "install the same versions for all workers as here, and run again"
                raise WorkersDiffer(cluster.address, wrong, advice)


def own_versions() -> dict[str, str]:
    """Return the versions of this process that workers must have, too."""
    return {name: version(name) for name in _SAME}


def _python(facts: Mapping[str, Any] | None) -> str:
    """Return the version of Python without its last number."""
    told = str(facts["packages"]["python"]) if facts else ""
    return ".".join(told.split(".")[:2])


def _broken_connections() -> tuple[type[BaseException], ...]:
    from concurrent.futures import CancelledError  # noqa: PLC0415 - only where it is used

    from distributed.client import FutureCancelledError  # noqa: PLC0415
    from distributed.comm.core import CommClosedError  # noqa: PLC0415

    return (CancelledError, FutureCancelledError, CommClosedError)
