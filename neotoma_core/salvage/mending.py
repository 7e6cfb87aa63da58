"""Headers and indexes of damaged SQLite files, put right in place (file format, 1.3, 1.6).

Invariant: what is written to is a private copy, from which rows are salvaged, each proven later, or
copied.
"""

import mmap
import struct
from contextlib import closing
from pathlib import Path
from typing import Final

from neotoma_core.files.headers import FRACTIONS, MAGIC, is_page_size
from neotoma_core.sqlite.opening import connect_read_only

_HEADER: Final = 100
_SIZES: Final = tuple(1 << power for power in range(9, 17))
_OF_TREES: Final = frozenset((2, 5, 10, 13))
_LOOKED_AT: Final = 2_000
_MOSTLY: Final = 0.8
_LEAF, _INTERIOR = 13, 5
_INDEX_LEAF: Final = 10
_EMPTY: Final = struct.Struct(">BHHHB")  # of a page: its kind, no free block, no cell
_NEWEST_SCHEMA: Final = 4
_ENCODINGS: Final = (1, 2, 3)


def mend_header(copy: Path) -> None:
    """Put the header of a private copy right where it cannot be what SQLite wrote."""
    if copy.stat().st_size < _HEADER:
        return
    with copy.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        size = _page_size(data)
        data[: len(MAGIC)] = MAGIC
        struct.pack_into(">H", data, 16, 1 if size == _SIZES[-1] else size)
        data[18:20] = bytes(byte if byte in (1, 2) else 1 for byte in data[18:20])
        data[21:24] = FRACTIONS
        _bound(data, 44, range(_NEWEST_SCHEMA + 1), _NEWEST_SCHEMA)
        _bound(data, 56, _ENCODINGS, 1)
        if data[_HEADER] not in (_LEAF, _INTERIOR):
            data[_HEADER] = _kind_of_first(data, size)


def empty_indexes(copy: Path) -> None:
    """Empty every index of a private copy, however damaged it is, by putting an empty root there.

    REINDEX fills them again; SQLite itself can neither clear nor drop an index that it cannot read.
    """
    with closing(connect_read_only(copy)) as connection:
        listed = connection.execute("SELECT type, rootpage FROM sqlite_schema").fetchall()
    tables, indexes = ({root for kind, root in listed if kind == k} for k in ("table", "index"))
    with copy.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        (said,) = struct.unpack_from(">H", data, 16)
        size = _SIZES[-1] if said == 1 else said
        usable = (size - data[20]) % _SIZES[-1]  # 0 stands for all of the largest page
        for root in indexes - tables:
            if isinstance(root, int) and 1 < root <= len(data) // size:
                start = (root - 1) * size
                empty = _EMPTY.pack(_INDEX_LEAF, 0, 0, usable, 0)
                data[start : start + size] = empty.ljust(size, b"\0")


def _bound(data: mmap.mmap, at: int, allowed: range | tuple[int, ...], otherwise: int) -> None:
    (value,) = struct.unpack_from(">I", data, at)
    if value not in allowed:
        struct.pack_into(">I", data, at, otherwise)


def _page_size(data: mmap.mmap) -> int:
    """Return the size of a page: what the header says, where that fits, or the likeliest."""
    said, pages = struct.unpack_from(">H10xI", data, 16)
    said = _SIZES[-1] if said == 1 else said
    if is_page_size(said) and said * pages == len(data):
        return int(said)
    fitting = [size for size in _SIZES if size * pages == len(data)]
    if not fitting and is_page_size(said) and _trees(data, said) >= _MOSTLY:
        return int(said)
    # Every multiple of the right size fits as well as that does, so the smallest that fits is it.
    shares = {size: _trees(data, size) for size in fitting or _SIZES}
    return next(size for size in shares if shares[size] >= _MOSTLY * max(shares.values()))


def _trees(data: mmap.mmap, size: int) -> float:
    """Return the share of the pages of this size that start as those of tables and indexes do."""
    starts = range(size, len(data), size)[:_LOOKED_AT]
    return sum(data[start] in _OF_TREES for start in starts) / max(1, len(starts))


def _kind_of_first(data: mmap.mmap, size: int) -> int:
    """Return what the first page is: the list of tables itself, or the way to its pages."""
    (last,) = struct.unpack_from(">I", data, _HEADER + 8)
    start = (last - 1) * size
    leads_on = last > 1 and start < len(data) and data[start] in (_LEAF, _INTERIOR)
    return _INTERIOR if leads_on else _LEAF
