"""Progress on standard error: nothing for the first second, nothing where nobody watches.

On request as JSON lines, whoever reads them, or as a line per step.
"""

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

from neotoma_core.cli.terminal.manner import MANNER, ProgressForm
from neotoma_core.cli.terminal.standard_error import say
from neotoma_core.documents.document import document

_PATIENCE_SECONDS = 1.0
_EVERY_SECONDS: Final = 0.5  # between the JSON lines of a step that is under way
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
    """A bar per step. It appears after a second, and only on a terminal; or lines, where asked."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        lines = MANNER.verbose or MANNER.progress is not ProgressForm.AUTO or MANNER.quiet
        self._bars = Progress(
            *_columns(),
            console=Console(stderr=True),
            transient=True,
            disable=lines or not sys.stderr.isatty(),
        )
        self._task = self._bars.add_task("starting", total=None)
        self._later = threading.Timer(_PATIENCE_SECONDS, self._bars.start)
        self._later.daemon = True
        self._lines = _StepLines()

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
        self._lines.end()

    def pause(self) -> None:
        """Take the bars off the screen, for a question or a report."""
        self._later.cancel()
        self._bars.stop()
        self._lines.end()

    def begin(self, step: str, total: int | None = None) -> None:
        """Begin a step."""
        self._bars.columns = _columns(step)
        self._bars.reset(self._task, total=total, description=_TITLES.get(step, step))
        self._lines.begin(step, total)

    def advance(self, units: int) -> None:
        """Say that so many more units of the current step are done."""
        self._bars.advance(self._task, units)
        self._lines.advance(units)


class _StepLines:
    """The steps as lines on standard error: as JSON, or as words; nothing where neither is asked.

    Steps advance in several threads.
    """

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._step = ""
        self._done = 0
        self._total: int | None = None
        self._begun = self._shown = 0.0

    def begin(self, step: str, total: int | None) -> None:
        """End the step before, and begin one."""
        self.end()
        with self._one_at_a_time:
            self._step, self._done, self._total = step, 0, total
            self._begun = time.monotonic()
            self._tell("begun")

    def advance(self, units: int) -> None:
        """Tell how far the step is, now and then."""
        with self._one_at_a_time:
            self._done += units
            due = time.monotonic() - self._shown >= _EVERY_SECONDS
            if self._step and due and MANNER.progress is ProgressForm.JSON:
                self._tell("running")

    def end(self) -> None:
        """End the step that is under way, if any is."""
        with self._one_at_a_time:
            if self._step:
                self._tell("ended")
            self._step = ""

    def _tell(self, state: str) -> None:
        self._shown = time.monotonic()
        spent = round(self._shown - self._begun, 3)
        title = _TITLES.get(self._step, self._step)
        if MANNER.progress is ProgressForm.JSON:
            said = {
                "step": self._step,
                "title": title,
                "state": state,
                "done": self._done,
                "total": self._total,
                "seconds": spent,
            }
            print(document({"progress": said}).decode(), file=sys.stderr, flush=True)
        elif MANNER.verbose and state != "running":
            say(f"midden: {title}" + (f": {spent:,.1f} s" if state == "ended" else ""))
