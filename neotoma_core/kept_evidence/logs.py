"""The rows that the log of a database that is gone still holds: salvaged in a process apart."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.salvage.logs import database_of_log
from neotoma_core.workers.allowances import Allowance
from neotoma_core.workers.pool import Workers
from neotoma_core.workers.reading import Apart, salvage_apart
from neotoma_core.workers.setting import Setting

ReadLog = Callable[[Path, Path], Path | None]
"""Takes a log and a new folder; returns a database of its rows, None where nothing can be read."""


@contextmanager
def read_logs(erased: ErasedIds, scratch: Path) -> Iterator[ReadLog]:
    """Give what reads logs, until the block ends. ``scratch``: a private folder."""
    with Workers(Setting(erased), scratch, of_rows=True) as workers:
        apart = Apart(workers, Allowance())

        def read(log: Path, folder: Path) -> Path | None:
            folder.mkdir(mode=0o700, parents=True)
            pages = folder / "pages.db"
            if not database_of_log(log, pages):
                return None
            saved = salvage_apart(apart, pages, log, folder / "saved")
            return saved.database if saved else None

        yield read
