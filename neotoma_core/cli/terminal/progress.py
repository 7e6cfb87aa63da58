"""Progress on standard error: nothing for the first second, nothing where nobody watches."""

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

_PATIENCE_SECONDS = 1.0
_TITLES = {
    "evidence": "copying evidence",
    "read": "reading databases",
    "plan": "planning",
    "reduce": "reducing",
    "publish": "publishing",
    "stores": "comparing payloads with observations",
    "search": "searching",
    "examine": "reading the copies found",
    "upload": "uploading",
    "download": "downloading",
}
_OF_BYTES = ("upload", "download")


def _columns(step: str = "") -> "tuple[ProgressColumn, ...]":
    """Return what is shown of a step; of those that move bytes, how many, how fast, how long."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    bar = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24)
    if step in _OF_BYTES:
        return (*bar, DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return (*bar, TimeElapsedColumn())


class TerminalProgress:
    """A bar per step. It appears after a second, and only on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        self._bars = Progress(
            *_columns(),
            console=console,
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bars.add_task("starting", total=None)
        self._later = threading.Timer(_PATIENCE_SECONDS, self._bars.start)
        self._later.daemon = True

    def __enter__(self) -> Self:
        self._later.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._later.cancel()
        self._bars.stop()

    def pause(self) -> None:
        """Take the bars off the screen, for a question."""
        self._later.cancel()
        self._bars.stop()

    def begin(self, step: str, total: int | None = None) -> None:
        """Begin a step."""
        self._bars.columns = _columns(step)
        self._bars.reset(self._task, total=total, description=_TITLES.get(step, step))

    def advance(self, units: int) -> None:
        """Say that so many more units of the current step are done."""
        self._bars.advance(self._task, units)
