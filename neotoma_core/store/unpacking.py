"""Taking databases out of compressed files and archives, into a private folder, within limits.

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
from neotoma_core.store.sqlite_files import companion
from neotoma_core.store.walking import FoundFile, Kind, kind_of, speaks_of_neotoma

_HEAD: Final = 512
_ENCRYPTED: Final = 1
_OPENERS: Final[dict[str, Callable[[Path, str], Any]]] = {
    "gzip": gzip.open,
    "xz": lzma.open,
    "bzip2": bz2.open,
}
_WAL_MAGICS: Final = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_JOURNAL_MAGIC: Final = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
_BROKEN: Final = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError,
    zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """How far an archive is unpacked. ``ratio`` counts only beyond ``ratio_from`` bytes."""

    bytes: int = 16 << 30
    ratio: int = 200
    ratio_from: int = 64 << 20
    entries: int = 200_000
    depth: int = 3


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A database taken out: where it is now, and what it is called in the archive.

    ``member`` is empty for a compressed file that holds nothing else. ``problem``: why the archive
    was not unpacked any further, if so; then ``path`` is None.
    """

    path: Path | None
    member: str
    problem: str = ""


class _Readable(Protocol):
    """Something to read bytes from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""


class _OverLimit(Exception):
    """An archive that goes beyond the limits. The message says which."""


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
            raise _OverLimit(f"has more than {self._limits.entries:,} entries")

    def unpacked(self, count: int) -> None:
        """Count bytes that were unpacked, whether they are kept or not."""
        self._bytes += count
        if self._bytes > self._limits.bytes:
            raise _OverLimit(f"unpacks to more than {self._limits.bytes / 1e9:,.1f} GB")
        grown = self._bytes > self._limits.ratio_from
        if grown and self._bytes > self._limits.ratio * self._packed:
            raise _OverLimit(f"unpacks to more than {self._limits.ratio} times its size")

    def kept(self, count: int) -> None:
        """Count bytes that are written to the disk."""
        self._free -= count
        if self._free < 0:
            raise _OverLimit("does not fit on this disk unpacked")


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


def unpack(found: FoundFile, folder: Path, limits: Limits) -> Iterator[Unpacked]:
    """Yield every file in ``found`` that may be a database, unpacked below ``folder``.

    Its companions are unpacked beside it. An archive that is damaged or beyond the limits yields
    what came before, and then the problem.
    """
    budget = _Budget(limits, found.size, shutil.disk_usage(folder).free)
    unpacking = _Unpacking(folder, budget)
    try:
        yield from unpacking.file(found.path, found.kind, found.path.name, limits.depth)
    except _OverLimit as limit:
        yield Unpacked(None, "", f"not unpacked any further: it {limit}")
    except _BROKEN:
        yield Unpacked(None, "", "a damaged archive")


@dataclass(frozen=True, slots=True)
class _Unpacking:
    """The unpacking of one outer file into one folder."""

    folder: Path
    budget: _Budget

    def file(self, path: Path, kind: Kind, name: str, depth: int) -> Iterator[Unpacked]:
        """Yield what is in a compressed file or an archive."""
        if kind == "zip":
            with zipfile.ZipFile(path) as archive:
                yield from self._zip(archive, depth)
        elif kind == "tar":
            with tarfile.open(path, "r:") as tar:
                yield from self._tar(tar, depth)
        else:
            with _stream(path, kind) as stream:
                inner = kind_of(stream.read(_HEAD))
            with _stream(path, kind) as stream:
                counted = _Counted(stream, self.budget)
                if inner == "tar":
                    with tarfile.open(fileobj=counted, mode="r|") as tar:
                        yield from self._tar(tar, depth)
                elif inner == "sqlite" or speaks_of_neotoma(name):
                    target = self._place() / _plain(_uncompressed(name))
                    self._write(b"", counted, target)
                    yield Unpacked(target, "")

    def _tar(self, archive: tarfile.TarFile, depth: int) -> Iterator[Unpacked]:
        place = self._place()
        taken: list[tuple[str, Path]] = []
        for member in archive:
            self.budget.entry()
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                taken += self._taken(content, member.name, place / str(len(taken)))
        yield from self._sorted_out(taken, depth)

    def _zip(self, archive: zipfile.ZipFile, depth: int) -> Iterator[Unpacked]:
        place = self._place()
        taken: list[tuple[str, Path]] = []
        for entry in archive.infolist():
            self.budget.entry()
            if entry.is_dir() or entry.flag_bits & _ENCRYPTED:
                continue
            with archive.open(entry) as content:
                counted = _Counted(content, self.budget)
                taken += self._taken(counted, entry.filename, place / str(len(taken)))
        yield from self._sorted_out(taken, depth)

    def _taken(self, content: _Readable, name: str, place: Path) -> list[tuple[str, Path]]:
        """Unpack one entry where it may be, or belong to, a database; return its name and place."""
        head = content.read(_HEAD)
        belongs = head.startswith((*_WAL_MAGICS, _JOURNAL_MAGIC))
        if kind_of(head) == "none" and not belongs and not speaks_of_neotoma(name):
            return []
        target = place / _plain(name)
        place.mkdir(mode=0o700)
        self._write(head, content, target)
        return [(name, target)]

    def _sorted_out(self, taken: list[tuple[str, Path]], depth: int) -> Iterator[Unpacked]:
        """Put companions beside their databases and look into archives within the archive."""
        databases = {}
        for name, path in taken:
            with path.open("rb") as file:
                kind = kind_of(file.read(_HEAD))
            if kind == "sqlite" or (kind == "none" and speaks_of_neotoma(name)):
                databases[name] = path
            elif kind != "none" and depth > 1:
                for inner in self.file(path, kind, PurePosixPath(name).name, depth - 1):
                    below = f"{name}!{inner.member}" if inner.member else name
                    yield Unpacked(inner.path, below, inner.problem)
        for name, path in taken:
            for suffix in ("-wal", "-journal"):
                owner = databases.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
                if owner is not None:
                    path.rename(companion(owner, suffix))
        for name, path in databases.items():
            yield Unpacked(path, name)

    def _write(self, head: bytes, content: _Readable, target: Path) -> None:
        with target.open("xb") as file:
            file.write(head)
            while block := content.read(CHUNK):
                self.budget.kept(len(block))
                file.write(block)

    def _place(self) -> Path:
        """Return a new folder of its own for one archive."""
        place = self.folder / f"in-{sum(1 for _ in self.folder.iterdir())}"
        place.mkdir(mode=0o700)
        return place


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


def _plain(name: str) -> str:
    """Return the last part of an archive's name: never a path, never empty, never too long."""
    last = PurePosixPath(name.replace("\\", "/").replace("\x00", "")).name
    return last[-100:] if last not in ("", ".", "..") else "database"


def _uncompressed(name: str) -> str:
    for ending in (".gz", ".zst", ".xz", ".bz2"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name
