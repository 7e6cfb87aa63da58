"""How an operation tells what it is doing; whoever calls it decides whether anybody sees it."""

import threading
from typing import Protocol


class Progress(Protocol):
    """Called with the step that begins, and how many of its units are done."""

    def begin(self, step: str, total: int | None = None) -> None:
        """Begin a step of ``total`` units (bytes, rows); None where that is not known."""

    def advance(self, units: int) -> None:
        """Report that this many more units of the current step are done."""


class Silent:
    """Progress that nobody watches."""

    def begin(self, step: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, units: int) -> None:
        """Say nothing."""


class Moving:
    """Advances a step by the bytes of one content as they move: by its size in the end, no more.

    What is sent is a little larger than the content, and may be sent twice; several threads may
    tell of it.
    """

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._left = size
        self._lock = threading.Lock()

    def on_bytes(self, size: int) -> None:
        """Report that this many more bytes moved."""
        with self._lock:
            units = min(max(size, 0), self._left)
            self._left -= units
        if units:
            self._progress.advance(units)

    def end(self) -> None:
        """Say that all of it is there."""
        self.on_bytes(self._left)
