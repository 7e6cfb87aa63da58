"""The files in a zip, one after the other, as far as they can be had.

Where its list of files is damaged or missing, which is at its end, they are found by their own
headers. What needs a password, or was packed in a way nobody knows, is named.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Final

from neotoma_core.unpacking.budgets import Budget
from neotoma_core.unpacking.streams import (
    BROKEN,
    CUT,
    DEFLATED,
    FORMATS,
    Decompressing,
    Format,
    Reader,
    Stored,
)
from neotoma_core.unpacking.tars import Member, Note

_LOCAL: Final = b"PK\x03\x04"
_HEADER: Final = struct.Struct("<4sHHHHHIIIHH")
_STORED, _LZMA = 0, 14
_FORMATS: Final = {
    8: DEFLATED,
    12: Format(b"", FORMATS["bzip2"].new),
    _LZMA: Format(b"", FORMATS["lzma"].new),
    93: Format(b"", FORMATS["zstd"].new),
}
_ENCRYPTED: Final = 1
_SIZE_FOLLOWS: Final = 8
_WINDOW: Final = 1 << 20
_LZMA_START: Final = struct.Struct("<BBH")
_LZMA_PROPERTIES: Final = 5
_SIZE_UNKNOWN: Final = b"\xff" * 8


@dataclass(frozen=True, slots=True)
class _Listed:
    """A file of a zip: where its header is, how it is packed; ``size`` None where nobody says."""

    name: str
    at: int
    flags: int
    method: int
    size: int | None
    check: int | None


class _Checked:
    """A reader whose bytes are compared with the checksum of the zip at their end."""

    def __init__(self, inner: Reader, check: int | None) -> None:
        self.problem = ""
        self._inner, self._check, self._found = inner, check, 0

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, fewer than asked for only at the end."""
        block = self._inner.read(size)
        self._found = zlib.crc32(block, self._found)
        if len(block) < size:
            differs = self._check is not None and self._found != self._check
            self.problem = self._inner.problem or (BROKEN if differs else "")
        return block


def files_of(
    file: IO[bytes], budget: Budget, entry: Callable[[], None], note: Note
) -> Iterator[Member]:
    """Yield every file. ``entry`` is called for every entry, ``note`` with what is wrong."""
    listed = _listing(file)
    if listed is None:
        note("its list of files is damaged or missing")
        yield from _find_members(file, budget, entry, note)
        return
    for one in listed:
        entry()
        opened = _open(file, one, budget, note)
        if opened is not None:
            yield Member(one.name, _Checked(opened, one.check))


def _listing(file: IO[bytes]) -> list[_Listed] | None:
    """Return the files that the zip lists, less its folders; None where it does not."""
    try:
        with zipfile.ZipFile(file) as archive:
            return [
                _Listed(
                    i.filename,
                    i.header_offset,
                    i.flag_bits,
                    i.compress_type,
                    i.compress_size,
                    i.CRC,
                )
                for i in archive.infolist()
                if not i.is_dir()
            ]
    except Exception:  # noqa: BLE001 - whatever the library makes of damage
        return None


def _find_members(
    file: IO[bytes], budget: Budget, entry: Callable[[], None], note: Note
) -> Iterator[Member]:
    """Yield the files whose own headers are there."""
    after = 0
    while (at := _next_header(file, after, budget)) is not None:
        entry()
        file.seek(at)
        raw = file.read(_HEADER.size)
        if len(raw) < _HEADER.size:
            note(CUT)
            return
        _, _, flags, method, _, _, check, size, _, named, _ = _HEADER.unpack(raw)
        name = file.read(named).decode(errors="surrogateescape")
        known = not flags & _SIZE_FOLLOWS
        one = _Listed(name, at, flags, method, size if known else None, check if known else None)
        opened = None if name.endswith("/") else _open(file, one, budget, note)
        if opened is not None:
            yield Member(name, _Checked(opened, one.check))
        stopped = opened.stopped_at if isinstance(opened, Decompressing) else 0
        after = max(at + len(_LOCAL), stopped, at + _HEADER.size + size if known else 0)


def _next_header(file: IO[bytes], at: int, budget: Budget) -> int | None:
    """Return where the next header starts from ``at`` on."""
    while True:
        file.seek(at)
        block = file.read(_WINDOW)
        place = block.find(_LOCAL)
        if place >= 0:
            return at + place
        if len(block) < _WINDOW:
            return None
        budget.count_unpacked(0)
        at += len(block) - len(_LOCAL) + 1


def _open(
    file: IO[bytes], one: _Listed, budget: Budget, note: Note
) -> Decompressing | Stored | None:
    """Return what a file of a zip holds; None, with a note, where it cannot be unpacked."""
    if one.flags & _ENCRYPTED:
        note("files in it need a password")
        return None
    file.seek(one.at)
    raw = file.read(_HEADER.size)
    if len(raw) < _HEADER.size:
        note(CUT)
        return None
    *_, named, further = _HEADER.unpack(raw)
    start = one.at + _HEADER.size + named + further
    end = None if one.size is None else start + one.size
    if one.method == _STORED:
        if end is None:
            note("the size of a file in it is not known")
            return None
        return Stored(file, budget, start, end)
    if one.method not in _FORMATS:
        note("files in it are packed in a way that is not known")
        return None
    before = b""
    if one.method == _LZMA:
        file.seek(start)
        opening = file.read(_LZMA_START.size + _LZMA_PROPERTIES)
        before, start = opening[_LZMA_START.size :] + _SIZE_UNKNOWN, start + len(opening)
    form = _FORMATS[one.method]
    return Decompressing(file, form, budget, start=start, end=end, before=before, joined=False)
