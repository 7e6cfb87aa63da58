"""Progress on standard error: nothing for the first moment, nothing where nobody watches.

On request as JSON lines, whoever reads them, or as a line per step.
"""

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID

from neotoma_core.cli.terminal.manner import MANNER, ProgressForm
from neotoma_core.cli.terminal.standard_error import say
from neotoma_core.documents.document import document

_PATIENCE_SECONDS: Final = 0.1  # a command that ends at once shows no bar
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
    """A bar per step. It appears after a moment, and only on a terminal; or lines, where asked."""

    def __init__(self) -> None:
        lines = MANNER.verbose or MANNER.progress is not ProgressForm.AUTO or MANNER.quiet
        self._bars = None if lines or not sys.stderr.isatty() else _Bars()
        self._lines = _StepLines()

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.appear_later()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pause()

    def pause(self) -> None:
        """Take the bars off the screen, for a question or a report."""
        if self._bars:
            self._bars.disappear()
        self._lines.end()

    def begin(self, step: str, total: int | None = None) -> None:
        """Begin a step."""
        if self._bars:
            self._bars.begin(step, total)
        self._lines.begin(step, total)

    def advance(self, units: int) -> None:
        """Say that so many more units of the current step are done."""
        if self._bars:
            self._bars.advance(units)
        self._lines.advance(units)


class _Bars:
    """The bar on the terminal. What draws it is loaded where it appears: most runs end before.

    Steps advance in several threads.
    """

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._step, self._done = "", 0
        self._total: int | None = None
        self._shown: tuple[Progress, TaskID] | None = None
        self._gone = False
        self._later = threading.Timer(_PATIENCE_SECONDS, self._appear)
        self._later.daemon = True

    def appear_later(self) -> None:
        """Show the step that is under way after a moment, unless all has ended by then."""
        self._later.start()

    def _appear(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        with self._one_at_a_time:
            if self._gone:
                return
            bars = Progress(*_columns(self._step), console=Console(stderr=True), transient=True)
            title = _TITLES.get(self._step, self._step) or "starting"
            task = bars.add_task(title, total=self._total, completed=self._done)
            self._shown = bars, task
            bars.start()

    def disappear(self) -> None:
        """Take the bar off the screen, for good."""
        self._later.cancel()
        with self._one_at_a_time:
            self._gone = True
            if self._shown:
                self._shown[0].stop()
            self._shown = None

    def begin(self, step: str, total: int | None) -> None:
        """Show another step."""
        with self._one_at_a_time:
            self._step, self._done, self._total = step, 0, total
            if self._shown:
                bars, task = self._shown
                bars.columns = _columns(step)
                bars.reset(task, total=total, description=_TITLES.get(step, step))

    def advance(self, units: int) -> None:
        """Show that more of the step is done."""
        with self._one_at_a_time:
            self._done += units
            if self._shown:
                bars, task = self._shown
                bars.advance(task, units)


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
