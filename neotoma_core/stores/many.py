"""Many small objects at once: how long each takes to be answered is not waited for in a row."""

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

from neotoma_core.stores.store import Content, Store, Told, untold

AT_ONCE: Final = 16


def create_all(
    store: Store,
    items: Iterable[tuple[str, Content]],
    told: Told = untold,
    at_once: int = AT_ONCE,
) -> dict[str, bool]:
    """Create objects, several at once, and return by name whether this call made each.

    ``items`` are taken only as they are needed. Where one fails no more are begun, those begun end,
    and the error of the first that failed is raised; what was made stays.
    """
    made: dict[str, bool] = {}
    going: dict[Future[bool], str] = {}

    def collect(ended: set[Future[bool]]) -> None:
        for one in ended:
            made[going.pop(one)] = one.result()

    with ThreadPoolExecutor(at_once, "midden-remote") as pool:
        try:
            for name, content in items:
                going[pool.submit(store.create, name, content, told)] = name
                if len(going) >= 2 * at_once:
                    collect(wait(going, return_when=FIRST_COMPLETED).done)
            collect(wait(going).done)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return made
