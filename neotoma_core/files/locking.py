"""Keeping other processes out of a folder."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from neotoma_core.errors import MiddenError

_PAUSE_SECONDS: Final = 0.1


@contextmanager
def exclusive(file: Path, patience: float, busy: Callable[[], MiddenError]) -> Iterator[None]:
    """Hold the lock on ``file``, which is made where there is none, while the block runs.

    Another process may have it for ``patience`` seconds yet; then ``busy`` says what is raised.
    The lock goes with the process, so a killed run leaves none behind. Raises OSError where the
    file cannot be opened.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= end:
                    raise busy() from error
                time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def is_held(file: Path) -> bool:
    """Return whether a process holds the lock on ``file``, which is there."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
