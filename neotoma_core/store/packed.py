"""Reading the files in compressed files and archives, also in archives within them, within limits.

Invariant: nothing is written outside the folder given, whatever names an archive holds; and no
archive makes a run write, read or unpack more than its limits allow.
"""

import bz2
import gzip
import io
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, Protocol

import zstandard

from neotoma_core.store.copies import CHUNK
from neotoma_core.store.walking import FoundFile, Kind, kind_of

DAMAGED: Final = "a damaged archive"
_HEAD: Final = 512
_ENCRYPTED: Final = 1
_OPENERS: Final[dict[str, Callable[[Path, str], Any]]] = {
    "gzip": gzip.open,
    "xz": lzma.open,
    "bzip2": bz2.open,
}
_BROKEN: Final = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError,
    zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zstandard.ZstdError,
)  # fmt: skip

Wanted = Callable[[str, bytes], bool]
"""Whether a file is wanted as it is, by its name in its archive and its first bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far an archive is unpacked. ``ratio`` counts only beyond ``ratio_from`` bytes."""

    bytes: int = 16 << 30
    ratio: int = 200
    ratio_from: int = 64 << 20
    entries: int = 200_000
    depth: int = 3


class CutShort(Exception):
    """An archive that is damaged or goes beyond the limits. The message says which."""


class _Readable(Protocol):
    """Something to read bytes from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""


class _Budget:
    """What may still be unpacked from one outer file."""

    def __init__(self, limits: Limits, packed: int, free: int) -> None:
        self._limits = limits
        self._packed = max(1, packed)
        self._free = free
        self._bytes = 0
        self._entries = 0

    def entry(self) -> None:
        """Count one entry of an archive."""
        self._entries += 1
        if self._entries > self._limits.entries:
            raise _over(f"has more than {self._limits.entries:,} entries")

    def unpacked(self, count: int) -> None:
        """Count bytes that were unpacked, whether they are kept or not."""
        self._bytes += count
        if self._bytes > self._limits.bytes:
            raise _over(f"unpacks to more than {self._limits.bytes / 1e9:,.1f} GB")
        grown = self._bytes > self._limits.ratio_from
        if grown and self._bytes > self._limits.ratio * self._packed:
            raise _over(f"unpacks to more than {self._limits.ratio} times its size")

    def kept(self, count: int) -> None:
        """Count bytes that are written to the disk."""
        self._free -= count
        if self._free < 0:
            raise _over("does not fit on this disk unpacked")


def _over(how: str) -> CutShort:
    return CutShort(f"not unpacked any further: it {how}")


class _Counted(io.RawIOBase):
    """A stream whose every byte counts against the budget, also those that are skipped."""

    def __init__(self, stream: IO[bytes], budget: _Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        block = self._stream.read(size)
        self._budget.unpacked(len(block))
        return block


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in an archive; it can be written out until the next one is asked for.

    ``member``: what it is called there, after ``!`` what it is called in an archive within; empty
    for a compressed file that holds nothing else. ``name``: its last part, safe as a file's name.
    ``head``: its first bytes.
    """

    member: str
    name: str
    head: bytes
    _rest: _Readable
    _budget: _Budget

    def write(self, target: Path) -> None:
        """Write the file to ``target``, which must not be there yet; all of it or nothing.

        Raises CutShort.
        """
        try:
            with target.open("xb") as file:
                file.write(self.head)
                while block := self._next():
                    self._budget.kept(len(block))
                    file.write(block)
        except (CutShort, OSError):
            target.unlink(missing_ok=True)
            raise

    def _next(self) -> bytes:
        try:
            return self._rest.read(CHUNK)
        except _BROKEN as error:
            raise CutShort(DAMAGED) from error


def entries_of(found: FoundFile, folder: Path, limits: Limits, wanted: Wanted) -> Iterator[Entry]:
    """Yield every file in ``found``; archives within are put into ``folder`` and looked into.

    A file that is ``wanted`` is not looked into, archive or not. Raises CutShort where ``found`` is
    damaged or beyond the limits.
    """
    budget = _Budget(limits, found.size, shutil.disk_usage(folder).free)
    try:
        yield from _Reading(folder, budget, wanted).file(found.path, found.kind, "", limits.depth)
    except _BROKEN as error:
        raise CutShort(DAMAGED) from error


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of one outer file."""

    folder: Path
    budget: _Budget
    wanted: Wanted

    def file(self, path: Path, kind: Kind, member: str, depth: int) -> Iterator[Entry]:
        """Yield what is in a compressed file or an archive; ``member``: what it is called."""
        if kind == "zip":
            with zipfile.ZipFile(path) as archive:
                yield from self._zip(archive, member, depth)
        elif kind == "tar":
            with tarfile.open(path, "r:") as tar:
                yield from self._tar(tar, member, depth)
        else:
            with _stream(path, kind) as stream:
                inner = kind_of(stream.read(_HEAD))
            with _stream(path, kind) as stream:
                counted = _Counted(stream, self.budget)
                if inner == "tar":
                    with tarfile.open(fileobj=counted, mode="r|") as tar:
                        yield from self._tar(tar, member, depth)
                else:
                    head = counted.read(_HEAD)
                    name = plain(_uncompressed(member or path.name))
                    yield Entry(member, name, head, counted, self.budget)

    def _tar(self, archive: tarfile.TarFile, outer: str, depth: int) -> Iterator[Entry]:
        for member in archive:
            self.budget.entry()
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield from self._within(content, member.name, outer, depth)

    def _zip(self, archive: zipfile.ZipFile, outer: str, depth: int) -> Iterator[Entry]:
        for entry in archive.infolist():
            self.budget.entry()
            if entry.is_dir() or entry.flag_bits & _ENCRYPTED:
                continue
            with archive.open(entry) as content:
                counted = _Counted(content, self.budget)
                yield from self._within(counted, entry.filename, outer, depth)

    def _within(self, content: _Readable, name: str, outer: str, depth: int) -> Iterator[Entry]:
        """Yield one file of an archive, or what is in it where that is an archive itself."""
        head = content.read(_HEAD)
        member = f"{outer}!{name}" if outer else name
        entry = Entry(member, plain(name), head, content, self.budget)
        kind = kind_of(head)
        if kind in ("none", "sqlite") or depth <= 1 or self.wanted(name, head):
            yield entry
            return
        place = self.folder / f"in-{sum(1 for _ in self.folder.iterdir())}"
        place.mkdir(mode=0o700)
        entry.write(place / entry.name)
        yield from self.file(place / entry.name, kind, member, depth - 1)


@contextmanager
def _stream(path: Path, kind: Kind) -> Iterator[IO[bytes]]:
    if kind == "zstd":
        with (
            path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as stream,
        ):
            yield stream
        return
    with _OPENERS[kind](path, "rb") as stream:
        yield stream


def plain(name: str) -> str:
    """Return the last part of an archive's name: never a path, never empty, never too long."""
    last = PurePosixPath(name.replace("\\", "/").replace("\x00", "")).name
    return last[-100:] if last not in ("", ".", "..") else "database"


def _uncompressed(name: str) -> str:
    for ending in (".gz", ".zst", ".xz", ".bz2"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name
