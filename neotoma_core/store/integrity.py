"""SQLite's integrity check beside other work: it keeps one processor busy, and nothing else."""

import os
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from neotoma_core.store.databases import check_integrity, connect_read_only

_NICENESS: Final = 5
_INSTRUCTIONS: Final = 1_000_000  # of SQLite's, between two looks at whether anybody still waits


class IntegrityCheck:
    """The check of a whole copy, while the block runs.

    An error in the block may come of damage: then the damage is what is raised. ``original`` is
    only named in messages.
    """

    def __init__(self, whole: Path, original: Path) -> None:
        self._whole = whole
        self._original = original
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._done: Future[None] | None = None
        self._unwanted = False

    def __enter__(self) -> Self:
        self._done = self._pool.submit(self._check)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._unwanted = error is not None and not isinstance(error, Exception)
        self._pool.shutdown()
        if not self._unwanted:
            self.require_passed()

    def require_passed(self) -> None:
        """Wait for the check; raises BackupDamaged."""
        if self._done is not None:
            self._done.result()

    def _check(self) -> None:
        _yield_to_others()
        with closing(connect_read_only(self._whole)) as connection:
            connection.set_progress_handler(lambda: self._unwanted, _INSTRUCTIONS)
            check_integrity(connection, self._original)


def _yield_to_others() -> None:
    """Let all other threads go first: they are waited for, and the check has time until they end.

    Niceness is one thread's own on Linux only; elsewhere it is that of the whole process.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
