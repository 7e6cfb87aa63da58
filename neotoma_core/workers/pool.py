"""Processes that read files from outside for this one, so that what a file does costs that file.

Each reads many files, one after the other, and each file within its allowance. One that crashes,
takes too long or needs too much is ended with all it started, and another takes its place.
Invariants: none outlives this process, however that ends; none writes to its terminal; a file is
blamed for a crash only by a process that had read no other before.
"""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from neotoma_core.workers.ahead import take_started
from neotoma_core.workers.framing import to_bytes
from neotoma_core.workers.process import Answer, GaveUp, Task, WorkerProcess
from neotoma_core.workers.setting import Setting, setting_to_plain


class Ended(Exception):
    """Nothing more is to be read."""


class _InDoubt(Exception):
    """A process gave up that had read other files before: it may have been one of those."""


class Workers:
    """As many processes as are asked at once, until the block ends. Any thread may ask.

    ``scratch``: a private folder. The first is started at once, since it takes a while to load.
    ``of_rows``: they are to read rows, not only to have a first look.
    """

    def __init__(self, setting: Setting, scratch: Path, *, of_rows: bool = False) -> None:
        self._setting = to_bytes(setting_to_plain(setting))
        self._scratch = scratch
        self._of_rows = of_rows
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._has_ended = False
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        self._idle.append(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all processes."""
        self.end()

    def end(self) -> None:
        """End all processes; who waits for one that is busy gets Ended, and lets go of it."""
        self._has_ended = True
        with self._one_at_a_time:
            for worker in self._busy:
                worker.kill()
            while self._idle:
                self._idle.pop().end()

    def ask(self, task: Task) -> Answer:
        """Return what a file holds.

        Raises GaveUp where it cannot be read to the end, OSError for a failure of the system that
        is not the file's, Ended once the block has.
        """
        try:
            return self._ask(self._take(), task)
        except _InDoubt:
            return self._ask(self._take(new=True), task)

    def _ask(self, worker: WorkerProcess, task: Task) -> Answer:
        is_first = not worker.has_read
        try:
            answer = worker.ask(task)
        except BaseException as error:
            self._let_go(worker)
            task.clear()
            if self._has_ended:
                raise Ended from None
            if isinstance(error, GaveUp) and not error.late and not is_first:
                raise _InDoubt from None
            raise
        with self._one_at_a_time:
            self._busy.discard(worker)
            self._idle.append(worker)
        return answer

    def _take(self, *, new: bool = False) -> WorkerProcess:
        with self._one_at_a_time:
            if self._has_ended:
                raise Ended
            fit = self._idle and not new
            worker = self._idle.pop() if fit else self._start()
            self._busy.add(worker)
            return worker

    def _start(self) -> WorkerProcess:
        started = take_started(self._setting) if self._of_rows else None
        return started or WorkerProcess(self._setting, self._scratch, of_rows=self._of_rows)

    def _let_go(self, worker: WorkerProcess) -> None:
        with self._one_at_a_time:
            self._busy.discard(worker)
        worker.end()
