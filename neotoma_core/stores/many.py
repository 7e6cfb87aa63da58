"""Many requests at once: how long each takes to be answered is not waited for in a row."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE: Final = 16


def do_at_once(
    act: Callable[[T], R], items: Iterable[T], at_once: int = AT_ONCE
) -> Iterator[tuple[T, R]]:
    """Do something with each item, several at once; yield the item and what came of it, as it ends.

    ``items`` are taken only as they are needed. Where one fails no more are begun, those begun end,
    and the error of the first that failed is raised; what was done stays.
    """
    going: dict[Future[R], T] = {}

    def wait_for(most: int) -> Iterator[tuple[T, R]]:
        while len(going) > most:
            for one in wait(going, return_when=FIRST_COMPLETED).done:
                yield going.pop(one), one.result()

    with ThreadPoolExecutor(at_once, "midden-remote") as pool:
        try:
            for item in items:
                going[pool.submit(act, item)] = item
                yield from wait_for(2 * at_once)
            yield from wait_for(0)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
