"""Files and folders by exactly their path, whatever they are called, for libraries that read names.

Polars expands ``[`` and ``*``, Delta decodes ``%20`` and takes a path for a URL, DuckDB cuts it at
``?`` and a backslash, and none of them takes bytes that are not UTF-8. A file of such a name is
opened here and handed over open. A library that wants a name works in a folder that it can name,
and what it wrote there is moved.
"""

import errno
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from neotoma_core.errors import UsageError
from neotoma_core.files.atomic import install, sync_file, temporary_name
from neotoma_core.files.failures import (
    Unexplained,
    explain_failure,
    failure_of,
    failures_named,
    naming,
)
from neotoma_core.files.private import make_folders
from neotoma_core.files.scratch import scratch_in

_PLAIN: Final = re.compile(r"[\w./ +@=-]+", re.ASCII)
_USUAL_SCRATCH: Final = ("/tmp", "/var/tmp")  # noqa: S108 - private folders are made in it
_LOG: Final = "_delta_log"


def is_plain(path: Path) -> bool:
    """Return whether every library reads a path as what it is, and as nothing else."""
    return _PLAIN.fullmatch(str(path.absolute())) is not None


def open_to_write(path: Path) -> IO[bytes]:
    """Open a new file, its owner's alone, for a library that writes into it."""
    path.unlink(missing_ok=True)
    path.touch(0o600, exist_ok=False)
    return path.open("wb")


def read_ipc(path: Path) -> pl.DataFrame:
    """Read an Arrow file."""
    if is_plain(path):
        return pl.read_ipc(path.absolute())  # mapped into memory, which takes a third of the time
    with path.open("rb") as file:
        return pl.read_ipc(file)


def write_ipc(frame: pl.DataFrame, path: Path, **options: Any) -> None:  # noqa: ANN401 - Polars' own
    """Write an Arrow file."""
    with _open_to_write(path) as file:
        frame.write_ipc(file, **options)


def ipc_of(frame: pl.DataFrame) -> bytes:
    """Return the bytes of an Arrow file with a frame."""
    held = io.BytesIO()
    frame.write_ipc(held)
    return held.getvalue()


def frame_of_ipc(content: bytes) -> pl.DataFrame:
    """Return the frame in the bytes of an Arrow file."""
    return pl.read_ipc(io.BytesIO(content))


def read_parquet(path: Path, **options: Any) -> pl.DataFrame:  # noqa: ANN401 - Polars' own
    """Read a Parquet file."""
    if is_plain(path):
        return pl.read_parquet(path.absolute(), glob=False, **options)
    with path.open("rb") as file:
        return pl.read_parquet(file, **options)


def read_parquet_piece(
    path: Path, columns: list[str], first: int, count: int
) -> tuple[int, pl.DataFrame]:
    """Return how many rows a Parquet file has, and some columns of ``count`` from ``first`` on."""
    if is_plain(path):
        scanned = pl.scan_parquet(path.absolute(), glob=False)
        held = int(scanned.select(pl.len()).collect().item())
        return held, scanned.select(columns).slice(first, count).collect()
    read = read_parquet(path, columns=columns)
    return read.height, read.slice(first, count)


def parquet_columns(path: Path) -> frozenset[str]:
    """Return the names of the columns of a Parquet file."""
    with path.open("rb") as file:
        return frozenset(pl.read_parquet_schema(file))


def write_parquet(frame: pl.DataFrame, path: Path, **options: Any) -> None:  # noqa: ANN401 - Polars' own
    """Write a Parquet file."""
    with _open_to_write(path) as file:
        frame.write_parquet(file, **options)


@contextmanager
def _open_to_write(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file for Polars, which does not always say why it could not write: the file does.

    Raises OSError.
    """
    with naming(path), open_to_write(path) as file:
        try:
            yield file
        except pl.exceptions.ComputeError as error:
            known = failure_of(error, path)
            if known is None:
                file.write(b"\0")
                file.flush()
                raise Unexplained(errno.EIO, explain_failure("Polars"), str(path)) from None
            raise OSError(known.number, os.strerror(known.number), str(path)) from None


@contextmanager
def plain_scratch() -> Iterator[Path]:
    """Yield a new private folder that every library can name; it is gone when the block ends.

    Raises UsageError where no folder for temporary files has such a name.
    """
    for place in map(Path, (tempfile.gettempdir(), *_USUAL_SCRATCH)):
        real = place.resolve()
        if is_plain(real) and real.is_dir():
            with scratch_in(real) as scratch, failures_named(real, "temporary folder"):
                yield scratch
            return
    raise UsageError("TMPDIR: its name holds special characters; name another folder in TMPDIR")


@contextmanager
def table_to_read(place: Path) -> Iterator[Path]:
    """Yield a folder in which Delta finds the table that is in ``place``, as it is now.

    It is ``place`` itself, or a folder of links.
    """
    if is_plain(place):
        yield place.absolute()
        return
    with plain_scratch() as scratch:
        mirror = scratch / "table"
        for name in _names(place):
            (mirror / name).parent.mkdir(parents=True, exist_ok=True)
            (mirror / name).symlink_to(place.resolve() / name)
        yield mirror


@contextmanager
def table_to_change(place: Path) -> Iterator[Path]:
    """Do the same for a table that Delta changes, or creates; others must be kept away.

    What the block adds to a folder of links is moved into ``place``, the log last; what it removes
    is removed there.
    """
    before = _names(place)
    with table_to_read(place) as mirror:
        yield mirror
        if is_plain(place):
            return
        after = _names(mirror)
        for name in sorted(after - before, key=lambda name: (name.parts[0] == _LOG, name)):
            _move(mirror / name, place / name)
        for name in before - after:
            (place / name).unlink(missing_ok=True)


def _names(folder: Path) -> set[Path]:
    return {
        Path(parent, name).relative_to(folder)
        for parent, _, names in os.walk(folder)
        for name in names
    }


def _move(made: Path, place: Path) -> None:
    """Move a new file to a place where there is none, in one step; raises FileExistsError."""
    if place.exists():
        raise FileExistsError(place)
    make_folders(place.parent)
    temporary = temporary_name(place)
    try:
        with failures_named(place):
            shutil.copyfile(made, temporary)
        temporary.chmod(0o600)
        sync_file(temporary)
        install(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)
