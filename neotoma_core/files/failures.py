"""Failures of the system, whichever library they come through, as errors that say where and why.

Python, SQLite, its Arrow driver, polars, pyarrow, deltalake and DuckDB each have their own way to
say that a disk is full or a file cannot be read. Their words may hold values: only what the system
says of the error's number is repeated.
"""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from neotoma_core.errors import (
    ArchiveError,
    BackupUnreadable,
    DiskFull,
    FileUnusable,
    MemoryFull,
    MiddenError,
    TargetError,
    VaultError,
    is_panic,
    reason_of,
    run_record,
    what_is_done,
    words_of,
)
from neotoma_core.files.headers import follow

Whose = Literal["vault", "archive", "export", "temporary folder", ""]

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NATIVE: Final = (
    "polars",
    "pyarrow",
    "deltalake",
    "internal",  # where deltalake's errors say they are from
    "duckdb",
    "adbc_driver_manager",
    "sqlite3",
)
_TOLD: Final = re.compile(r"\(os error (\d+)\)|\[[Ee]rrno (\d+)\]")
_SQLITE: Final = {
    "database or disk is full": errno.ENOSPC,
    "out of memory": errno.ENOMEM,
    "attempt to write a readonly database": errno.EROFS,
    "unable to open database file": errno.EACCES,
    "disk I/O error": errno.EIO,
    "access permission denied": errno.EACCES,
}
_OF_DUCKDB: Final = ("IOException", "FatalException", "TransactionException")
_OF_ADBC: Final = ("failed to open '", "cannot rollback")  # whatever the reason was
_MALFORMED: Final = "database disk image is malformed"
_WORDS: Final = {
    "unable to open database file": "SQLite cannot open or make a file in it",
    "attempt to write a readonly database": "SQLite may not write to it",
}
_ADVICE: Final = {
    errno.EMFILE: "raise the limit of open files (ulimit -n) and run again",
    errno.ENFILE: "raise the limit of open files and run again",
    errno.EACCES: "change its permissions and run again",
    errno.EPERM: "change its permissions and run again",
    errno.EROFS: "make it writable, or choose another folder, and run again",
    errno.EINTR: "run again",
}
_ACCESS: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
_COMMON: Final = (*_FULL, *_ACCESS, errno.EIO, errno.EMFILE, errno.EINTR)


class Unexplained(OSError):
    """A library could not read or write in a place, and did not say why (``explain_failure``)."""


@contextmanager
def naming(path: Path | None) -> Iterator[None]:
    """Give an error of the system that names no file the name of this one, where it is known."""
    try:
        yield
    except OSError as error:
        if error.filename is None and path is not None:
            error.filename = str(path)
        raise


@contextmanager
def failures_named(place: Path, whose: Whose = "") -> Iterator[None]:
    """Turn a failure of the system into an error of ours.

    ``place``: the file or folder that is named where the error names none; ``whose`` it is. Raises
    DiskFull, TargetError, BackupUnreadable, VaultError, ArchiveError, FileUnusable, MemoryFull.
    """
    try:
        yield
    except MiddenError:
        raise
    except BaseException as error:
        known = explain(error, place, whose)
        if known is None:
            raise
        quoting = None if isinstance(error, OSError) else error
    else:
        return
    raise known from quoting


def redo_if_interrupted(action: Callable[[], None]) -> None:
    """Do what may be done twice, and do it again where a signal interrupted a library in it."""
    try:
        action()
    except Exception as error:
        failure = failure_of(error, Path())
        if failure is None or failure.number != errno.EINTR:
            raise
    else:
        return
    action()


@dataclass(frozen=True, slots=True)
class Failure:
    """What the system could not do: the number of its error, its meaning, and with which file."""

    number: int
    reason: str
    path: Path

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def explain(error: BaseException, place: Path, whose: Whose = "") -> MiddenError | None:
    """Return what to say of a failure of the system; None where it is something else."""
    failure = failure_of(error, place) or _unreadable_again(error, place)
    if failure is None:
        return None
    return MemoryFull() if failure.number == errno.ENOMEM else _error_of(failure, place, whose)


def failure_of(error: BaseException, place: Path) -> Failure | None:
    """Return what of the system failed, if anything; in ``place`` where the error names no file."""
    if isinstance(error, MemoryError):
        return Failure(errno.ENOMEM, words_of(errno.ENOMEM), place)
    found = _find_words(error)
    return Failure(*found, _path_of(error) or place) if found else None


def _find_words(error: BaseException) -> tuple[int, str] | None:
    if isinstance(error, Unexplained):
        return errno.EIO, reason_of(error)
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno, reason_of(error)
    kind = type(error).__module__.partition(".")[0]
    if kind.lstrip("_") not in _NATIVE and not isinstance(error, OSError) and not is_panic(error):
        return None
    # Not str(error): an error of the system without a number says nothing more once it has a name.
    text = " ".join(map(str, error.args)) if isinstance(error, OSError) else str(error)
    for words, number in _SQLITE.items():
        if words in text:
            return number, _WORDS.get(words, words_of(number))
    told = _TOLD.search(text)
    if told is not None:
        number = int(told[1] or told[2])
        return number, words_of(number)
    return next(((n, words_of(n)) for n in _COMMON if os.strerror(n) in text), None)


def _unreadable_again(error: BaseException, place: Path) -> Failure | None:
    """Return the failure of a database that nobody expects to be damaged any more: it was proven.

    SQLite calls a page damaged, too, where a library beneath it could not read it. DuckDB and
    SQLite's Arrow driver do not always say why they could not open or write a file. That the disk
    failed is likely, but not known.
    """
    module = type(error).__module__.partition(".")[0].lstrip("_")
    if module == "duckdb" and type(error).__name__ in _OF_DUCKDB:
        return Failure(errno.EIO, explain_failure("DuckDB"), place)
    if module == "adbc_driver_manager" and any(sign in str(error) for sign in _OF_ADBC):
        return Failure(errno.EIO, explain_failure("SQLite"), place)
    if module not in _NATIVE or _MALFORMED not in str(error):
        return None
    return Failure(
        errno.EIO, "SQLite calls a database in it damaged: it is, or the disk failed", place
    )


def explain_failure(library: str) -> str:
    """Return what is known where a library fails at a file for a reason of its own."""
    return f"{library} cannot read or write in it, and does not say why"


def _path_of(error: BaseException) -> Path | None:
    if not isinstance(error, OSError):
        return None
    name = error.filename2 if error.filename2 is not None else error.filename
    return Path(os.fsdecode(name)) if isinstance(name, str | bytes) else None


def _error_of(failure: Failure, place: Path, whose: Whose) -> MiddenError:
    path, number, reason = failure.path, failure.number, failure.reason
    record = run_record()
    owner = _owner_of(path) or (whose if path.is_relative_to(place) else "")
    if number in _FULL:
        full = path if path == place or path.is_dir() else path.parent
        if owner == "target" and record.target is not None:
            full = record.target
        return DiskFull(full, whose=owner or whose)
    advice = _ADVICE.get(number, "check the disk and run again")
    if owner == "target":
        assert record.target is not None  # noqa: S101 - or it would not be its
        wrong = reason if path == record.target else f"{path.name}: {reason}"
        return TargetError(record.target, wrong, advice)
    if owner == "backup":
        return BackupUnreadable(path, f"{reason}; {what_is_done()}", advice)
    if owner == "archive":
        return ArchiveError(path, f"{reason}; {what_is_done()}", advice)
    if owner == "vault":
        return VaultError(path, f"{reason}; {what_is_done()}", advice)
    return FileUnusable(path, reason, advice)


def _owner_of(path: Path) -> Literal["target", "backup", "archive", "vault", ""]:
    """Return what of this run's a file belongs to."""
    record = run_record()
    place = path.absolute()
    if record.target is not None and _belongs_to(place, record.target):
        return "target"
    if any(_belongs_to(place, one) for one in record.inputs):
        return "backup"
    with suppress(OSError):
        if any((folder / "archive.json").is_file() for folder in (place, *place.parents)):
            return "archive"
    if record.vault is not None and place.is_relative_to(record.vault.absolute()):
        return "vault"
    return ""


def _belongs_to(path: Path, database: Path) -> bool:
    """Return whether a file is a database, or one next to it that belongs to it."""
    with suppress(OSError):
        database = follow(database)
    there = database.absolute()
    return path.parent == there.parent and path.name.removeprefix(".").startswith(there.name)
