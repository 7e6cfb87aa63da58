"""Opening what should be a plain file: a pipe never answers, and a device never ends."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

CHUNK: Final = 1 << 20


Progress = Callable[[int], None]


def no_progress(_: int) -> None:
    """Report nothing."""


def descriptor_of(path: Path | str) -> int:
    """Open a plain file for reading, without waiting; raises OSError where it is not one."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file", str(path))


def open_regular(path: Path) -> BinaryIO:
    """Open a plain file for reading, without waiting; raises OSError where it is not one."""
    return open(path, "rb", opener=lambda name, _: descriptor_of(name))


def is_regular(path: Path) -> bool:
    """Return whether a path, or what a link there names, is a plain file."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False
