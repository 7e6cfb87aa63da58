"""How an operation tells what it is doing; whoever calls it decides whether anybody sees it."""

from typing import Protocol


class Progress(Protocol):
    """Told which step begins, and how many of its units are done."""

    def begin(self, step: str, total: int | None = None) -> None:
        """Begin a step of ``total`` units (bytes, rows); None where that is not known."""

    def advance(self, units: int) -> None:
        """Say that so many more units of the current step are done."""


class Silent:
    """Progress that nobody watches."""

    def begin(self, step: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, units: int) -> None:
        """Say nothing."""
