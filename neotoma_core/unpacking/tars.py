"""The members of a tar, one after the other, as far as they can be had.

Invariant: nothing is skipped without being counted, and what cannot be read is named. A header that
is damaged costs its member; the next one that is whole is found again.
"""

import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from neotoma_core.unpacking.streams import BROKEN, CUT, Reader

BLOCK: Final = 512
_CHUNK: Final = 1 << 20
_MOST_HEADER: Final = 1 << 20
_MOST_PARTS: Final = 100_000
_FIRST_PARTS, _FURTHER_PARTS = (386, 4, 482), (0, 21, 504)
_REAL_SIZE: Final = slice(483, 495)
_RECORD: Final = re.compile(rb"(\d{1,7}) ([^=\n]{1,200})=")
_NO_DATA: Final = (
    tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
)  # fmt: skip
_NOT_FILES: Final = (*_NO_DATA, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK)

Note = Callable[[str], None]
"""Called with what is wrong, in words."""
Parts = tuple[tuple[int, int], ...]


class _Part:
    """The next ``size`` bytes of a stream; a ``Reader``."""

    def __init__(self, stream: Reader, size: int) -> None:
        self.problem = ""
        self._stream, self._left = stream, size

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, fewer than asked for only at the end."""
        wanted = min(size, self._left)
        block = self._stream.read(wanted) if wanted > 0 else b""
        self._left -= len(block)
        if len(block) < wanted:
            self.problem, self._left = self._stream.problem or CUT, 0
        return block

    def pass_over(self) -> None:
        """Read what is left of it."""
        while self.read(_CHUNK):
            pass


class _Sparse:
    """A file with holes: the parts of it that are stored, zeros between them; a ``Reader``."""

    def __init__(self, stored: _Part, parts: Parts, size: int) -> None:
        self._stored, self._size = stored, size
        self._parts, self._place, self._part = parts, 0, 0

    @property
    def problem(self) -> str:
        """Why it ended early."""
        return self._stored.problem

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, fewer than asked for only at the end."""
        out = bytearray()
        while len(out) < size and self._place < self._size and not self.problem:
            block = self._next(size - len(out))
            out += block
            self._place += len(block)
        return bytes(out)

    def _next(self, size: int) -> bytes:
        start, length = (
            self._parts[self._part] if self._part < len(self._parts) else (self._size, 0)
        )
        if self._place < start:
            return bytes(min(size, start - self._place))
        if self._place >= start + length:
            self._part += 1
            return b""
        return self._stored.read(min(size, start + length - self._place))


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a tar; it can be read until the next one is asked for."""

    name: str
    content: Reader


def members_of(stream: Reader, entry: Callable[[], None], note: Note) -> Iterator[Member]:
    """Yield every file. ``entry`` is called for every entry, ``note`` with what is wrong."""
    stated: dict[str, str] = {}
    lost = ended = False
    while header := stream.read(BLOCK):
        entry()
        info = None if (ended := not header.strip(b"\0")) else _info(header, stated)
        if info is None:
            lost = lost or not ended
            continue
        data = _Part(stream, info.size)
        if info.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME):
            stated |= _parse_header(info.type, data.read(_MOST_HEADER))
        elif info.type in _NO_DATA:
            stated = {}  # what was said was of this member
        elif info.type not in _NOT_FILES:
            content = _content(stream, data, info, header, stated)
            if content is None:
                note("a sparse file in it cannot be read")
            else:
                yield Member(stated.get("GNU.sparse.name") or info.name, content)
            stated = {}
        data.pass_over()
        _Part(stream, -info.size % BLOCK).pass_over()
    if lost:
        note(BROKEN)
    if stream.problem or not ended:
        note(stream.problem or CUT)


def _info(header: bytes, stated: Mapping[str, str]) -> tarfile.TarInfo | None:
    """Return what a header says, and the longer one before it; None where it is damaged."""
    try:
        info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        info.size = int(stated.get("size", info.size))
    except (tarfile.HeaderError, ValueError, OverflowError):
        return None
    info.name = stated.get("path", info.name)
    if info.type in _NO_DATA:
        info.size = 0
    return info if info.size >= 0 else None


def _parse_header(kind: bytes, raw: bytes) -> dict[str, str]:
    """Return what a header of its own says of the next member."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return {"path": raw.split(b"\0", 1)[0].decode(errors="surrogateescape")}
    found: dict[str, str] = {}
    at = 0
    while record := _RECORD.match(raw, at):
        end = at + int(record[1])
        if end <= record.end():
            break
        value = raw[record.end() : end - 1].decode(errors="surrogateescape")
        found[record[2].decode(errors="surrogateescape")] = value
        at = end
    return found


def _content(
    stream: Reader, data: _Part, info: tarfile.TarInfo, header: bytes, stated: Mapping[str, str]
) -> Reader | None:
    """Return the bytes of a member; None for a sparse one whose parts are not as they should be."""
    try:
        if info.type == tarfile.GNUTYPE_SPARSE:
            return _Sparse(data, _parts_in(header, stream), _number(header[_REAL_SIZE]))
        if "GNU.sparse.major" in stated:
            parts = _parts_before(data)
            return _Sparse(data, parts, int(stated["GNU.sparse.realsize"]))
    except (ValueError, KeyError, OverflowError):
        return None
    return None if any(name.startswith("GNU.sparse.") for name in stated) else data


def _parts_in(header: bytes, stream: Reader) -> Parts:
    """Return where the parts of a sparse file lie, as a header and the blocks after it say."""
    parts: list[tuple[int, int]] = []
    start, most, goes_on = _FIRST_PARTS
    while True:
        for at in range(start, start + 24 * most, 24):
            offset, length = _number(header[at : at + 12]), _number(header[at + 12 : at + 24])
            if length:
                parts.append((offset, length))
        if not header[goes_on]:
            return _check_order(parts)
        header = stream.read(BLOCK)
        start, most, goes_on = _FURTHER_PARTS
        if len(header) < BLOCK or len(parts) > _MOST_PARTS:
            raise ValueError("no map")


def _parts_before(data: _Part) -> Parts:
    """Return where the parts of a sparse file lie, as the start of its data says, line by line."""
    raw = data.read(BLOCK)
    count = int(raw.split(b"\n", 1)[0])
    if not 0 <= count <= _MOST_PARTS:
        raise ValueError("no map")
    while raw.count(b"\n") < 2 * count + 1:
        block = data.read(BLOCK)
        if not block:
            raise ValueError("no map")
        raw += block
    numbers = [int(line) for line in raw.split(b"\n")[1 : 2 * count + 1]]
    return _check_order(list(zip(numbers[::2], numbers[1::2], strict=True)))


def _check_order(parts: list[tuple[int, int]]) -> Parts:
    """Return the parts; raises ValueError where one is before or over the last."""
    end = 0
    for start, length in parts:
        if start < end or length < 0:
            raise ValueError("no map")
        end = start + length
    return tuple(parts)


def _number(field: bytes) -> int:
    """Return a number of a header: octal digits, or binary where the first bit says so."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    return int(field.split(b"\0", 1)[0].strip() or b"0", 8)
