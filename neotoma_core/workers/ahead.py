"""A process that reads rows, started before what asks it is loaded: both take half a second."""

import atexit
from contextlib import suppress
from typing import Final

from neotoma_core.errors import FileUnusable
from neotoma_core.workers.process import WorkerProcess

_STARTED: Final[list[WorkerProcess]] = []


def start_ahead() -> None:
    """Start one, for the first ``Workers`` of this process that are to read rows."""
    with suppress(FileUnusable, OSError):  # the one who needs it gets the error
        _STARTED.append(WorkerProcess(b"", None, of_rows=True))
        atexit.register(end_unused)


def take_started(setting: bytes) -> WorkerProcess | None:
    """Return the one that was started, which reads by ``setting`` from then on; None if none is."""
    if not _STARTED:
        return None
    worker = _STARTED.pop()
    worker.setting = setting
    return worker


def end_unused() -> None:
    """End what was started and never taken."""
    while _STARTED:
        _STARTED.pop().end()
