"""Interrupts and the moment of commit: a run that has committed is not called interrupted."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_HELD: Final = (signal.SIGINT, signal.SIGTERM)


def hold_interrupts() -> None:
    """Let interrupts wait, from just before a commit on; they are delivered by ``released``."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)


@contextmanager
def released() -> Iterator[None]:
    """Deliver interrupts held inside the block when it ends: after the report is out."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
