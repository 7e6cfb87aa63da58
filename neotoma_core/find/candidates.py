"""The candidates of a search: files that may be copies, each read in a process of its own."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from neotoma_core.comparison.holdings import Coder
from neotoma_core.report.progress import Progress
from neotoma_core.salvage.examining import Examined
from neotoma_core.unpacking.budgets import Limits
from neotoma_core.unpacking.unpack import Unpacked
from neotoma_core.unpacking.walking import FoundFile
from neotoma_core.workers.allowances import Allowance
from neotoma_core.workers.pool import Workers
from neotoma_core.workers.reading import examine_apart, measure_database, unpack_apart
from neotoma_core.workers.setting import Setting

T = TypeVar("T")

_READERS: Final = 2
_WORTH_ANOTHER: Final = 4 << 20  # bytes to read: starting a process takes as long as a few of them


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database may be read; see ``search.FoundCopy``.

    ``damage``: what is known to be wrong with its bytes.
    """

    path: Path
    member: str
    readable: Path
    packed: FoundFile | None = None
    raw_files: bool = False
    damage: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """By what the candidates of one search are read."""

    setting: Setting
    limits: Limits
    allowance: Allowance
    scratch: Path
    progress: Progress


@dataclass(frozen=True, slots=True)
class Candidates:
    """Reads the candidates of one search, several at a time."""

    by: Reading
    _pool: ThreadPoolExecutor
    _workers: Workers

    def places(
        self, files: Sequence[FoundFile]
    ) -> tuple[list[Place], tuple[tuple[Path, str], ...]]:
        """Return where databases may be read; compressed ones are unpacked into the scratch.

        And which archives were not unpacked to the end, and why.
        """

        def take(number: int) -> list[Unpacked] | None:
            return self._unpack(files[number], number) if _is_packed(files[number]) else None

        places, archives = [], []
        sizes = [found.size if _is_packed(found) else 0 for found in files]
        for found, unpacked in zip(files, self._each(take, sizes), strict=True):
            if unpacked is None:
                places.append(Place(found.path, "", found.path))
                continue
            for one in unpacked:
                if one.path is None:
                    archives.append((found.path, one.problem))
                else:
                    place = (found.path, one.member, one.path, found, one.raw_files, one.damage)
                    places.append(Place(*place))
        return places, tuple(archives)

    def _unpack(self, found: FoundFile, number: int) -> list[Unpacked]:
        folder = self.by.scratch / f"unpacked-{number}"
        limits, allowance = self.by.limits, self.by.allowance
        unpacked = unpack_apart(self._workers, found, folder, limits, allowance)
        with suppress(OSError):  # unless something was taken out, or reading it had to be ended
            folder.rmdir()
        return unpacked

    def examine(self, places: Sequence[Place], coder: Coder) -> list[tuple[Place, Examined]]:
        """Return what is in every place that holds a copy of a Neotoma database."""

        def read(number: int) -> Examined | None:
            place, folder = places[number], self.by.scratch / f"examined-{number}"
            examined = examine_apart(
                self._workers,
                place.readable,
                place.path,
                folder,
                coder,
                place.damage,
                self.by.allowance,
            )
            self.by.progress.advance(1)
            return examined

        read_ones = self._each(read, [measure_database(place.readable) for place in places])
        both = zip(places, read_ones, strict=True)
        return [(place, one) for place, one in both if one is not None]

    def _each(self, read: Callable[[int], T], sizes: Sequence[int]) -> list[T]:
        """Return what reading every file gives; only many bytes are worth a second process."""
        numbers = range(len(sizes))
        if sum(sizes) < _WORTH_ANOTHER:
            return [read(number) for number in numbers]
        return list(self._pool.map(read, numbers))


def _is_packed(found: FoundFile) -> bool:
    return found.kind not in ("sqlite", "none")


@contextmanager
def candidates(by: Reading, workers: Workers | None = None) -> Iterator[Candidates]:
    """Read candidates until the block ends; the process that reads them loads meanwhile.

    ``workers``: those that read them, where there are some by that setting.
    """
    with (
        Workers(by.setting, by.scratch, of_rows=True)
        if workers is None
        else nullcontext(workers) as own,
        ThreadPoolExecutor(max_workers=_READERS) as pool,
    ):
        try:
            yield Candidates(by, pool, own)
        except BaseException:
            own.end()  # before the threads are waited for
            raise
