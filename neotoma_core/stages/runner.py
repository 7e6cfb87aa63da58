"""Who does the tasks of a stage: threads of this process, or workers of a Dask cluster."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from neotoma_core.stages.places import OnStore, Place

Task = TypeVar("Task")
Result = TypeVar("Result")

_THREADS: Final = 2


class Runner(Protocol):
    """Does the tasks of one stage.

    A task is a small value that can be pickled, and so is its result: rows are in parts. ``work``
    may be done again for a task, and must then have the same result. ``is_apart``: whether it is
    done elsewhere, so that all a task needs is in files that are seen there, and no key is.
    """

    @property
    def is_apart(self) -> bool:
        """Whether tasks are done in other processes."""

    def run(self, work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Yield the result of each task, in their order; raises what the first that fails does."""


@dataclass(frozen=True, slots=True)
class Threads:
    """Threads of this process; so many tasks are under way at a time, and no more are in memory."""

    count: int = _THREADS

    @property
    def is_apart(self) -> bool:
        """They are done here."""
        return False

    def run(self, work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Yield the result of each task, in their order."""
        if len(tasks) == 1:
            yield work(tasks[0])
            return
        under_way: deque[Future[Result]] = deque()
        with ThreadPoolExecutor(self.count) as pool:
            for task in tasks:
                under_way.append(pool.submit(work, task))
                if len(under_way) == self.count:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()


@dataclass(frozen=True, slots=True)
class Work:
    """How a job is done: by whom, where its parts are, and in how many buckets.

    ``place``: None for the scratch of the run. ``buckets``: of every table; None for as many as
    its size wants. ``origin``: where the files of an archive are that only has its logs here.
    """

    runner: Runner = field(default_factory=Threads)
    place: Place | None = None
    buckets: int | None = None
    origin: OnStore | None = None
