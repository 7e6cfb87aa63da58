"""Raw source files: content-addressed, so a file's name says what its bytes must be.

A raw folder holds ``<user id>/<sha256>``. Invariant: a name is only ever given to bytes with that
SHA-256. Write order: copies under temporary names → renamed → one sync of the file system, before
the database that refers to them is committed.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from neotoma_core.files.atomic import install, sync_folder, temporary_name
from neotoma_core.files.private import fit_in, make_folders
from neotoma_core.files.regular import (
    CHUNK,
    Progress,
    descriptor_of,
    no_progress,
    open_regular,
)

RAW_FILES: Final = pl.Schema(
    {"name": pl.String, "size": pl.Int64, "sha256": pl.String, "damaged": pl.Boolean}
)
_SHA256_HEX: Final = 64
_BATCH: Final = 256
_NOT_A_FILE: Final = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EINVAL)  # or not to be read


def list_raw_files(folder: Path, progress: Progress = no_progress) -> pl.DataFrame:
    """Return every content-addressed file below ``folder``, hashed; no rows where it is missing.

    One row per file: ``name`` (relative path), ``size`` in bytes, ``sha256`` of what is in it, and
    ``damaged`` where that is not its name (a file that cannot be read has no hash and is damaged).
    """
    names = sorted(_names(folder))
    batches = [names[start : start + _BATCH] for start in range(0, len(names), _BATCH)]
    rows: list[tuple[str, int, str | None, bool]] = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for batch in pool.map(lambda batch: [_facts(folder, name) for name in batch], batches):
            rows.extend(batch)
            progress(sum(size for _, size, _, _ in batch))
    return pl.DataFrame(rows, schema=RAW_FILES, orient="row")


def copy_raw_files(
    source: Path, names: Sequence[str], target: Path, progress: Progress = no_progress
) -> tuple[int, tuple[str, ...]]:
    """Copy the named files into ``target``; return the bytes written and the names that failed.

    A file whose bytes no longer have its hash is not copied and counts as failed.
    """
    written = 0
    failed = []
    above = make_raw_folders(target, names)
    for name in names:
        size = copy_verified(f"{source}/{name}", f"{target}/{name}")
        if size is None:
            failed.append(name)
        else:
            fit_in(target / name, above)
            written += size
            progress(size)
    return written, tuple(failed)


def make_raw_folders(target: Path, names: Iterable[str]) -> os.stat_result:
    """Make the folders that the named files of a raw folder are to be in.

    They fit the folder that was there, whose facts are returned for the files: the server that uses
    the database must be able to read them.
    """
    there = target.absolute()
    while not there.exists():
        there = there.parent
    above = there.stat()
    for folder in sorted({(target / name).parent for name in names}):
        missing = [p for p in (folder, *folder.parents) if not p.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for made in reversed(missing):
            fit_in(made, above)
    return above


def raw_file_names(folder: Path) -> list[str]:
    """Return the relative name of every content-addressed file below ``folder``, unread."""
    return sorted(_names(folder))


def remove_raw_files(folder: Path, names: Sequence[str]) -> None:
    """Remove the named files and make that last; one that is gone already is not an error."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
    for parent in {(folder / name).parent for name in names}:
        if parent.exists():
            sync_folder(parent)


def move_raw_file(folder: Path, name: str, evidence: Path) -> None:
    """Move one file out of a raw folder, keeping its relative name.

    One that is there already stays: on a second try what has its name is the good copy.
    """
    if (evidence / name).exists():
        return
    make_folders((evidence / name).parent)
    try:
        (folder / name).rename(evidence / name)  # also a file that cannot be read
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(folder / name, temporary_name(evidence / name))
        install(temporary_name(evidence / name), evidence / name)
        (folder / name).unlink()
        return
    for parent in ((evidence / name).parent, (folder / name).parent):
        sync_folder(parent)


def sync_everything() -> None:
    """Force all written files to the disk: one call for thousands of small files."""
    os.sync()


def copy_verified(source: str, target: str) -> int | None:
    """Copy one file if its bytes have the hash in its new name; return the bytes written."""
    size = copy_aside(source, target)
    if size is not None:
        Path(aside(target)).rename(target)
    return size


def aside(target: str) -> str:
    """Return the name a raw file has until its bytes are proven."""
    return f"{target}.midden.tmp"


def copy_aside(source: str, target: str) -> int | None:
    """Copy one file ``aside`` if its bytes have the hash in its new name; return how many.

    Thousands of small files: every call to the system counts, so none is made twice.
    """
    temporary = aside(target)
    digest = hashlib.sha256()
    size = 0
    try:
        descriptor = descriptor_of(Path(source))
    except OSError as error:
        if error.errno not in _NOT_A_FILE:
            raise
        return None
    with os.fdopen(descriptor, "rb", 0) as file:
        most = os.fstat(descriptor).st_size  # it may grow as fast as it is read
        with _create(temporary) as copy:
            while block := file.read(min(CHUNK, most - size)):
                digest.update(block)
                copy.write(block)
                size += len(block)
    if digest.hexdigest() != target.rpartition("/")[2]:
        Path(temporary).unlink()
        return None
    return size


def _create(path: str) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", 0)


def _names(folder: Path) -> Iterator[str]:
    for parent, _, files in os.walk(folder):
        below = Path(parent).relative_to(folder)
        for file in files:
            if len(file) == _SHA256_HEX and set(file) <= set("0123456789abcdef"):
                yield (below / file).as_posix()


def _facts(folder: Path, name: str) -> tuple[str, int, str | None, bool]:
    digest = hashlib.sha256()
    size = 0
    try:
        with open_regular(folder / name) as file:
            while block := file.read(CHUNK):
                digest.update(block)
                size += len(block)
    except OSError:
        return name, size, None, True
    found = digest.hexdigest()
    return name, size, found, found != name.rpartition("/")[2]
