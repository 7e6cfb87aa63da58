"""Workers of a Dask cluster, as the runner of a job.

Tasks and their results are small: rows are in files that every worker sees, or on a store. A worker
may die at any time: what it was doing is done again by another, and what it had done is found in
its parts.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from neotoma_core.errors import ClusterError, SchedulerUnreachable, WorkerLost
from neotoma_core.stages.connecting import PATIENCE_SECONDS, connect_client
from neotoma_core.stages.places import Place

if TYPE_CHECKING:
    from distributed import Client

Task = TypeVar("Task")
Result = TypeVar("Result")

_SEEN_BY_ALL: Final = (
    "name a folder that all workers see by the same path, or an address of a store that each of "
    "them has credentials for"
)


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

    def require_seen(self, *places: Place) -> None:
        """Raise ClusterError unless every worker can use these places."""
        for worker, unseen in self.client.run(find_unseen, places).items():
            for why in unseen:
                raise ClusterError(self.address, f"{worker} {why}", _SEEN_BY_ALL)


def find_unseen(places: Sequence[Place]) -> list[str]:
    """Return why this process cannot use places, as far as it cannot."""
    return [why for place in places if (why := place.why_unseen())]


@contextmanager
def connect_cluster(address: str, patience: float = PATIENCE_SECONDS) -> Iterator[Cluster]:
    """Connect to the scheduler at an address; raises what ``connect_client`` does."""
    with connect_client(address, patience) as client:
        yield Cluster(client, address)


def _broken_connections() -> tuple[type[BaseException], ...]:
    from concurrent.futures import CancelledError  # noqa: PLC0415 - only where it is used

    from distributed.client import FutureCancelledError  # noqa: PLC0415
    from distributed.comm.core import CommClosedError  # noqa: PLC0415

    return (CancelledError, FutureCancelledError, CommClosedError)
