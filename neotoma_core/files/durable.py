"""Many files forced to the disk together: one barrier, before anything names them.

Forced one by one, each waits for the disk by itself: thousands of small files would take minutes
where it is slow. Invariant: once ``sync_together`` returns, every file it was given, and every name
in every folder, is on the disk.
"""

import ctypes
import errno
import os
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final

from neotoma_core.files.atomic import sync_file, sync_folder
from neotoma_core.files.failures import naming

_MANY: Final = 100
_AT_ONCE: Final = 8


def sync_together(files: Collection[Path], folders: Collection[Path]) -> None:
    """Force files that are written to the disk, and then folders, which name them.

    Many of them by one call for their file system, where it can be asked; a few, or where it
    cannot, some at a time. Raises OSError.
    """
    if len(files) + len(folders) > _MANY:
        places = {file.parent for file in files}.union(folders)
        one_each = {place.stat().st_dev: place for place in places}.values()
        if all(sync_file_system(place) for place in one_each):
            return
    _sync_some_at_a_time(sync_file, files)
    _sync_some_at_a_time(sync_folder, folders)


def folders_of(files: Iterable[Path], levels: int) -> set[Path]:
    """Return the folders that hold files, and those above them, which may be new as well."""
    parents = {file.parent for file in files}
    return {folder for parent in parents for folder in (parent, *parent.parents)[:levels]}


def sync_file_system(folder: Path) -> bool:
    """Force all that was written to the file system of a folder to its disk; raises OSError.

    Returns False, and has done nothing, where the system has no such call.
    """
    call = _system_call()
    if call is None:
        return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with naming(folder):
            if not call(descriptor):
                return True
            number = ctypes.get_errno()
            if number == errno.ENOSYS:
                return False
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)


@cache
def _system_call() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def _sync_some_at_a_time(sync: Callable[[Path], None], places: Iterable[Path]) -> None:
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        list(pool.map(sync, places))
