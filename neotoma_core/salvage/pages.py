"""The rows on the pages of a damaged SQLite file, read page by page (SQLite's file format, 1.6, 2).

Nothing that a page says is trusted: what does not fit is left out, and the rest goes on. Pages that
the file lists as unused are left out, too: what is on them was deleted.
"""

import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from neotoma_core.files.headers import MAGIC

Cell = int | float | str | bytes | None

_HEADER: Final = 100
_LEAF: Final = 0x0D
_INTERIOR: Final = 0x05
_INTEGER_BYTES: Final = (0, 1, 2, 3, 4, 6, 8)
_MOST_PAYLOAD: Final = 1 << 30
_NULL, _REAL, _ZERO, _ONE, _BLOB, _TEXT = 0, 7, 8, 9, 12, 13


class _Unreadable(Exception):
    """A cell that does not fit its page."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row: its number, and its cells in the order of the table's columns.

    There may be fewer cells than columns: those added since the row was written.
    """

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Pages:
    """A SQLite file in memory, or mapped into it. ``size``: bytes of a page, ``usable`` of them."""

    data: bytes | mmap.mmap
    size: int
    usable: int
    used: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, data: bytes | mmap.mmap) -> "Pages | None":
        """Return the pages of a file; None where its header is not that of a SQLite database."""
        if len(data) < _HEADER or data[: len(MAGIC)] != MAGIC:
            return None
        (size,) = struct.unpack_from(">H", data, 16)
        size = 65536 if size == 1 else size
        sound = size >= 512 and size & (size - 1) == 0  # noqa: PLR2004 - the format's bounds
        return cls(data, size, size - data[20]) if sound else None

    @property
    def count(self) -> int:
        """How many whole pages there are."""
        return len(self.data) // self.size

    def find_unused(self) -> set[int]:
        """Return the pages that the file's own list calls unused."""
        (trunk,) = struct.unpack_from(">I", self.data, 32)
        found: set[int] = set()
        while 1 < trunk <= self.count and trunk not in found:
            found.add(trunk)
            start = (trunk - 1) * self.size
            following, leaves = struct.unpack_from(">II", self.data, start)
            fits = min(leaves, self.usable // 4 - 2)
            listed = struct.unpack_from(f">{fits}I", self.data, start + 8)
            found.update(page for page in listed if 1 < page <= self.count)
            trunk = following
        return found

    def tree(self, root: int) -> Iterator[StoredRow]:
        """Yield the rows of the table with this root page, and note which pages they are on."""
        waiting = [root]
        while waiting:
            page = waiting.pop()
            if not 1 <= page <= self.count or page in self.used:
                continue
            self.used.add(page)
            kind = self.data[self._start(page)]
            if kind == _LEAF:
                yield from self.leaf(page)
            elif kind == _INTERIOR:
                waiting.extend(reversed(self._children(page)))

    def leaf(self, page: int) -> Iterator[StoredRow]:
        """Yield the rows on one leaf page, less those that do not fit it."""
        for place in self._cells(page, 8):
            try:
                yield self._row(page, place)
            except (_Unreadable, IndexError, struct.error, UnicodeDecodeError):
                continue

    def orphans(self) -> Iterator[int]:
        """Yield the leaf pages of tables that no tree walked so far leads to, and that are in use.

        A page that holds the rest of a long row may look like one; what refers to it shows which it
        is.
        """
        unused = self.find_unused()
        for page in range(2, self.count + 1):
            passed_over = page in self.used or page in unused
            if not passed_over and self.data[self._start(page)] == _LEAF:
                yield page

    def _start(self, page: int) -> int:
        return (page - 1) * self.size + (_HEADER if page == 1 else 0)

    def _cells(self, page: int, header: int) -> list[int]:
        """Return where the cells of a page start, from the start of the page."""
        start = self._start(page)
        (count,) = struct.unpack_from(">H", self.data, start + 3)
        first = start + header
        end = (page - 1) * self.size + self.usable
        fits = min(count, max(0, end - first) // 2)
        places = struct.unpack_from(f">{fits}H", self.data, first)
        least = first + 2 * fits - (page - 1) * self.size
        return [place for place in places if least <= place < self.usable]

    def _children(self, page: int) -> list[int]:
        base = (page - 1) * self.size
        children = [
            struct.unpack_from(">I", self.data, base + place)[0] for place in self._cells(page, 12)
        ]
        (last,) = struct.unpack_from(">I", self.data, self._start(page) + 8)
        return [*children, last]

    def _row(self, page: int, place: int) -> StoredRow:
        base = (page - 1) * self.size
        length, at = _varint(self.data, base + place)
        number, at = _varint(self.data, at)
        if length > min(_MOST_PAYLOAD, len(self.data)):
            raise _Unreadable
        return StoredRow(_sign(number), _record(self._payload(page, at, length)))

    def _payload(self, page: int, at: int, length: int) -> bytes:
        most = self.usable - 35
        here = length
        if length > most:
            least = (self.usable - 12) * 32 // 255 - 23
            here = least + (length - least) % (self.usable - 4)
            here = here if here <= most else least
        end = (page - 1) * self.size + self.usable
        if at + here > end:
            raise _Unreadable
        payload = bytearray(self.data[at : at + here])
        if here < length:
            (following,) = struct.unpack_from(">I", self.data, at + here)
            self._follow(following, payload, length)
        return bytes(payload)

    def _follow(self, page: int, payload: bytearray, length: int) -> None:
        """Append what a long row has on further pages."""
        while len(payload) < length:
            if not 1 < page <= self.count:
                raise _Unreadable
            self.used.add(page)
            start = (page - 1) * self.size
            wanted = min(self.usable - 4, length - len(payload))
            payload += self.data[start + 4 : start + 4 + wanted]
            (page,) = struct.unpack_from(">I", self.data, start)


def tables_of(pages: Pages) -> Mapping[str, int]:
    """Return the root page of every ordinary table that the file's own list of them still names."""
    roots: dict[str, int] = {}
    for row in pages.tree(1):
        cells = dict(zip(("type", "name", "table", "root"), row.cells, strict=False))
        name, root = cells.get("name"), cells.get("root")
        if cells.get("type") == "table" and isinstance(name, str) and isinstance(root, int):
            roots[name] = root
    return roots


def read_statements(pages: Pages) -> Mapping[str, str]:
    """Return the statement that made each table."""
    return {
        str(row.cells[1]): str(row.cells[4])
        for row in Pages(pages.data, pages.size, pages.usable).tree(1)
        if len(row.cells) > 4 and row.cells[0] == "table"  # noqa: PLR2004 - SQLite's own columns
    }


def _record(payload: bytes) -> tuple[Cell, ...]:
    """Return the cells of a record; raises _Unreadable where it does not add up."""
    end, at = _varint(payload, 0)
    kinds = []
    if end > len(payload):
        raise _Unreadable
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    cells = []
    at = end
    for kind in kinds:
        cell, at = _cell(payload, kind, at)
        cells.append(cell)
    if at != len(payload):
        raise _Unreadable
    return tuple(cells)


def _cell(payload: bytes, kind: int, at: int) -> tuple[Cell, int]:
    if kind in (_NULL, _ZERO, _ONE):
        return {_NULL: None, _ZERO: 0, _ONE: 1}[kind], at
    if kind < _REAL:
        end = at + _INTEGER_BYTES[kind]
        return int.from_bytes(payload[at:end], "big", signed=True), _within(payload, end)
    if kind == _REAL:
        (number,) = struct.unpack_from(">d", payload, at)
        return float(number), at + 8
    if kind < _BLOB:
        raise _Unreadable
    end = _within(payload, at + (kind - _BLOB) // 2)
    raw = payload[at:end]
    return (raw.decode() if kind % 2 == _TEXT % 2 else raw), end


def _within(payload: bytes, end: int) -> int:
    if end > len(payload):
        raise _Unreadable
    return end


def _varint(data: bytes | mmap.mmap, at: int) -> tuple[int, int]:
    """Return a number of one to nine bytes, and where it ends."""
    value = 0
    for place in range(8):
        byte = data[at + place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004 - the mark of the last byte
            return value, at + place + 1
    return value << 8 | data[at + 8], at + 9


def _sign(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number
