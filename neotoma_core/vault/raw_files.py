"""Raw source files: content-addressed, so a file's name says what its bytes must be.

A raw folder holds ``<user id>/<sha256>``. Invariant: a name is only ever given to bytes with that
SHA-256. Write order: copies under temporary names → renamed → all forced to the disk together,
before the database that refers to them is committed (``files/atomic.py``).
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.files.atomic import install, sync_folder, temporary_name
from neotoma_core.files.private import fit_file_in, fit_in, make_folders
from neotoma_core.files.regular import CHUNK, Progress, descriptor_of, no_progress

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
        for batch in pool.map(lambda batch: [_facts(str(folder), name) for name in batch], batches):
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
        size = copy_verified(f"{source}/{name}", f"{target}/{name}", above)
        if size is None:
            failed.append(name)
        else:
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


def copy_verified(source: str, target: str, above: os.stat_result) -> int | None:
    """Copy one file if its bytes have the hash in its new name; return the bytes written.

    It fits ``above``, what ``make_raw_folders`` returned.
    """
    size = copy_aside(source, target, above)
    if size is not None:
        os.rename(aside(target), target)  # noqa: PTH104 - see copy_aside
    return size


def aside(target: str) -> str:
    """Return the name a raw file has until its bytes are proven."""
    return f"{target}.midden.tmp"


def copy_aside(source: str, target: str, above: os.stat_result | None = None) -> int | None:
    """Copy one file ``aside`` if its bytes have the hash in its new name; return how many.

    ``above``: what it fits; None where it is its owner's alone. Thousands of small files: every
    call to the system counts, and every path that is taken apart, so none is made twice.
    """
    temporary = aside(target)
    try:
        descriptor = descriptor_of(source)
    except OSError as error:
        if error.errno not in _NOT_A_FILE:
            raise
        return None
    try:
        copy = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            size, digest = _copy_hashed(descriptor, copy)
            if above is not None:
                fit_file_in(copy, above)
        finally:
            os.close(copy)
    finally:
        os.close(descriptor)
    if digest != target.rpartition("/")[2]:
        os.unlink(temporary)  # noqa: PTH108
        return None
    return size


def _copy_hashed(source: int, copy: int) -> tuple[int, str]:
    """Copy what an open file holds; return how many bytes that is, and their SHA-256."""
    digest = hashlib.sha256()
    size = 0
    most = os.fstat(source).st_size  # it may grow as fast as it is read
    while block := os.read(source, min(CHUNK, most - size)):
        digest.update(block)
        size += len(block)
        while block:
            block = block[os.write(copy, block) :]
    return size, digest.hexdigest()


def _names(folder: Path) -> Iterator[str]:
    for parent, _, files in os.walk(folder):
        below = Path(parent).relative_to(folder)
        for file in files:
            if len(file) == _SHA256_HEX and set(file) <= set("0123456789abcdef"):
                yield (below / file).as_posix()


def _facts(folder: str, name: str) -> tuple[str, int, str | None, bool]:
    digest = hashlib.sha256()
    size = 0
    try:
        descriptor = descriptor_of(f"{folder}/{name}")
        try:
            while block := os.read(descriptor, CHUNK):
                digest.update(block)
                size += len(block)
        finally:
            os.close(descriptor)
    except OSError:
        return name, size, None, True
    found = digest.hexdigest()
    return name, size, found, found != name.rpartition("/")[2]
