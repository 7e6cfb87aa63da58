"""Interrupts and the moment of commit: a run that has committed is not called interrupted."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_HELD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_waiting: list[int] = []
_scopes: list[object] = []
_scratch: list[None] = []


def hold_interrupts() -> None:
    """Let interrupts wait, from just before a commit to the end of the ``release`` block.

    Outside such a block nothing is held, since nobody would deliver it, nor inside ``on_scratch``.
    Handlers, not masks: a
    mask binds one thread, and Python runs handlers in the main thread whichever thread the system
    gave the signal to. Other threads are not interrupted anyway.
    """
    if _scopes and not _scratch and threading.current_thread() is threading.main_thread():
        for number in _HELD:
            signal.signal(number, _wait)


@contextmanager
def release() -> Iterator[None]:
    """Deliver interrupts held inside the block when it ends: after the report is out."""
    if _scopes or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _HELD}
    _scopes.append(before)
    try:
        yield
    finally:
        _scopes.clear()
        for number, handler in before.items():
            signal.signal(number, handler)
        held = [*_waiting]
        _waiting.clear()
        for waited in held:
            signal.raise_signal(waited)


@contextmanager
def on_scratch() -> Iterator[None]:
    """Let interrupts come at once inside the block: what is committed there is not the target."""
    _scratch.append(None)
    try:
        yield
    finally:
        _scratch.pop()


def _wait(number: int, _frame: FrameType | None) -> None:
    _waiting.append(number)
