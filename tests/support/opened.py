"""Counting how often the files of a folder are opened, by whatever process: the system counts."""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_OPENED: Final = 0x20  # IN_OPEN
_HEADER: Final = struct.Struct("iIII")


class Opened:
    """Counts opens of the files of a folder."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def times(self) -> int:
        """Return how often a file was opened since this was asked last."""
        try:
            events = os.read(self._descriptor, 1 << 20)
        except BlockingIOError:
            return 0
        count = place = 0
        while place < len(events):
            _, mask, _, length = _HEADER.unpack_from(events, place)
            count += bool(mask & _OPENED and length)
            place += _HEADER.size + length
        return count


@contextmanager
def count_opened(folder: Path) -> Iterator[Opened]:
    """Count for the time of the block."""
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert descriptor >= 0
    try:
        assert library.inotify_add_watch(descriptor, os.fsencode(folder), _OPENED) >= 0
        yield Opened(descriptor)
    finally:
        os.close(descriptor)
