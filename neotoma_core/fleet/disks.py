"""How many jobs work on one disk at a time, whichever process or runner they are of.

A slot is a lock on a file, so that it is free again as soon as its process ends. It is about speed
only: where a slot cannot be had, since the folder cannot be written, the job runs all the same.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from neotoma_core.files.private import make_folders

_PAUSE_SECONDS: Final = 0.05


def disk_of(place: Path) -> int:
    """Return the number of the disk that holds a place, or will once it is made."""
    for path in (place.absolute(), *place.absolute().parents):
        try:
            return path.stat().st_dev
        except OSError:
            continue
    return 0


@contextmanager
def disk_slot(folder: Path, disk: int, most: int) -> Iterator[None]:
    """Hold one of the ``most`` slots of a disk while the block runs; wait until one is free."""
    descriptor = _take(folder, disk, most)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _take(folder: Path, disk: int, most: int) -> int | None:
    while True:
        for number in range(most):
            try:
                descriptor = _open(folder, f"{disk}.{number}")
            except OSError:
                return None
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            except OSError:
                os.close(descriptor)
                return None
            else:
                return descriptor
        time.sleep(_PAUSE_SECONDS)


def _open(folder: Path, name: str) -> int:
    make_folders(folder)
    return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
