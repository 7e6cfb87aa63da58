"""Working ahead: the next parts of a job are under way while one is dealt with."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

Result = TypeVar("Result")

_WORKERS: Final = 2


def work_ahead(work: Callable[[int], Result], count: int) -> Iterator[Result]:
    """Yield ``work`` of every number below ``count``, in order; two are under way at a time.

    What waits to be taken counts as under way, so memory holds no more. An error is raised in its
    turn, once what is under way has ended.
    """
    under_way: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(_WORKERS) as pool:
        for number in range(count):
            under_way.append(pool.submit(work, number))
            if len(under_way) == _WORKERS:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
