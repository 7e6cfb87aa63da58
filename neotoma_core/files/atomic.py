"""Files that are old or new, never between.

Invariant: at every instant a name holds the complete old content or the complete new one.
Write order: temporary name written → synced → renamed → folder synced.

Many files are synced together, before anything names them: one by one, each waits for the disk by
itself, and thousands of small ones would take minutes where it is slow. Invariant: once
``sync_together`` returns, all that it was given is on the disk.
"""

import ctypes
import errno
import hashlib
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from neotoma_core.errors import record_commit
from neotoma_core.files.failures import naming
from neotoma_core.files.headers import JOURNAL
from neotoma_core.files.repeating import repeating

_LONGEST_NAME: Final = 255 - len(JOURNAL)  # in bytes; SQLite adds this to a name
_MANY: Final = 100
_AT_ONCE: Final = 8
STEPS: Final = ("temp_written", "temp_synced", "renamed", "folder_synced")

Subject = sqlite3.Connection | Path | None
"""What a step worked on, where a test may have to change it: a transaction, or a file."""

Observer = Callable[[str, Subject], None]

_observers: list[Observer] = []


def announce(step: str, subject: Subject = None) -> None:
    """Tell the observers that a step is done, and on what; only tests observe."""
    for observer in _observers:
        observer(step, subject)


@contextmanager
def observe(observer: Callable[[str], None]) -> Iterator[None]:
    """Call ``observer`` at every step reached inside the block: how a test crashes a run."""
    with observe_with_subject(lambda step, _: observer(step)):
        yield


@contextmanager
def observe_with_subject(observer: Observer) -> Iterator[None]:
    """Do the same, with what each step worked on: how a test plants what a proof must find."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


def temporary_name(path: Path) -> Path:
    """Return the name a file has until it is whole: hidden, next to ``path``.

    It is always the same, so that what a killed run left is overwritten by the next one.
    """
    return hide_name(path, "tmp")


def hide_name(path: Path, what: str) -> Path:
    """Return a hidden name next to ``path`` that ends in its purpose; never one that is too long.

    Of a long name there is a hash in it.
    """
    ending = f".midden.{what}"
    raw = os.fsencode(path.name)
    if len(raw) + len(ending) + 1 <= _LONGEST_NAME:
        return path.with_name(f".{path.name}{ending}")
    return path.with_name(f".{hashlib.sha256(raw).hexdigest()}{ending}")


def write_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write ``content`` under ``path``, replacing what was there in one step."""
    temporary = temporary_name(path)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with naming(temporary), os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)  # whatever the umask
            file.write(content)
            file.flush()
            announce("temp_written")
            os.fsync(file.fileno())
        announce("temp_synced")
        install(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def install(temporary: Path, path: Path) -> None:
    """Rename a synced file to its final name and sync the folder that holds it.

    Raises OSError where a folder, device or pipe has that name: that is never replaced.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    repeating(temporary.replace)(path)
    record_commit(path)
    announce("renamed")
    sync_folder(path.parent)
    announce("folder_synced")


def sync_file(path: Path) -> None:
    """Force one file's content to the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Force a folder's entries to the disk, so that a rename survives a power cut."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        with naming(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
