"""A Dask cluster of this machine, and runners that record what its workers do, or kill them."""

import os
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import dask
from distributed import LocalCluster

from neotoma_core.stages.places import OnStore
from neotoma_core.stages.runner import Runner
from tests.support.parts import path_of

When = Literal["before", "after"]


@contextmanager
def local_cluster(workers: int = 2, **options: Any) -> Iterator[LocalCluster]:
    """Start workers, each a process with one thread, on the loopback.

    This kind of cluster ends, after a while, a worker that was started again after it had died.
    """
    kept = {"distributed.deploy.lost-worker-timeout": "1 hour"}
    with (
        dask.config.set(kept),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            env={"POLARS_MAX_THREADS": "1"},
            **options,
        ) as cluster,
    ):
        yield cluster


@dataclass(frozen=True)
class Recorded:
    """A task that notes in a folder when it begins, and which file it made.

    ``dies``: at the first try of the task of that number its process is killed, before the work or
    after it, when the part is there and was not announced.
    """

    work: Callable[[Any], Any]
    folder: Path
    dies: int | None
    when: When

    def __call__(self, numbered: tuple[int, Any]) -> Any:
        number, task = numbered
        task_name = f"{self.work.__name__} {table_of(task)} {number}"
        (self.folder / f"began {task_name} {uuid.uuid4().hex}").touch()
        if self.when == "before":
            self._die_once(task_name, number)
        made = self.work(task)
        (self.folder / f"made {task_name} {identify(made)}").touch()
        if self.when == "after":
            self._die_once(task_name, number)
        return made

    def _die_once(self, task_name: str, number: int) -> None:
        mark = self.folder / f"died {task_name}"
        if number == self.dies and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def identify(made: Any) -> str:
    """Return what tells a file that a task made from another of the same name."""
    if isinstance(made.place, OnStore):
        (one,) = made.place.store.list(f"{made.place.folder}/{made.name}")
        return one.modified.isoformat()
    return str(path_of(made).stat().st_ino)


def table_of(task: Any) -> str:
    """Return what tells the tasks of one stage from those of the same stage of another table."""
    return str(getattr(task.table, "name", task.table))


@dataclass(frozen=True)
class Recording:
    """A runner whose tasks are ``Recorded``; one of the ``stage`` dies, where there are several."""

    runner: Runner
    folder: Path
    stage: str = ""
    dies: int = 1
    when: When = "before"

    @property
    def is_apart(self) -> bool:
        return self.runner.is_apart

    def run(self, work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        dies = self.dies if work.__name__ == self.stage else None
        recorded = Recorded(work, self.folder, dies, self.when)
        yield from self.runner.run(recorded, list(enumerate(tasks)))


def count_notes(folder: Path, what: str) -> Counter[str]:
    """Return how often each task ``began``, or how many files each ``made``."""
    names = [path.name for path in folder.iterdir() if path.name.startswith(f"{what} ")]
    return Counter(name.rpartition(" ")[0].removeprefix(f"{what} ") for name in names)
