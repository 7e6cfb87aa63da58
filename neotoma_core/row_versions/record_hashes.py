"""Quick hashes of rows, by the bytes that a SQLite file has of them.

What SQLite stores of a row is its record: the types of its cells, and the cells. Two rows with the
same record, under one declaration of their table, are the same in every cell. Records are found as
the file format says: inner pages of a table lead to its leaves, a leaf has cells, and a cell has
the number of its row and the record, whose end may be on a chain of other pages. Many pages and
cells are read in one step, many times as fast as SQLite steps from cell to cell. Where anything is
not as the format says, there are no quick hashes, and the rows are read with SQLite.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from neotoma_core.files.headers import read_header
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.sqlite.opening import connect_read_only

QUICK: Final = ("_quick", "_quicker")

_Bytes = npt.NDArray[np.uint8]
_Numbers = npt.NDArray[np.int64]

_INNER, _LEAF = 5, 13  # kinds of pages of a table
_INNER_HEAD, _LEAF_HEAD = 12, 8  # bytes before the places of cells
_RESERVED_AT: Final = 20
_DEEPEST: Final = 20
_LONGEST_NUMBER: Final = 9  # bytes
_WINDOW_BYTES: Final = 32 << 20
_AT_ONCE: Final = 4096  # records whose ends are read together
_SHORT: Final = 12  # bytes of a value that Arrow keeps in its view
_PREFIX: Final = 4  # bytes of a longer one
_VIEW_BYTES: Final = 16


class _NotReadable(ValueError):
    """The pages are not those of an ordinary table."""


def record_hashes(database: Path, table: str, seeds: Sequence[int]) -> pl.DataFrame | None:
    """Return (_rowid, _quick, _quicker) of every row of a table of a whole copy, by ``_rowid``.

    None where its pages are not as they should be, as those of a table without row numbers.
    """
    root = _root_of(database, table)
    header = read_header(database)
    if root is None or header is None:
        return None
    try:
        leaves = _leaves(_map(database, header.page_size), root - 1)
        # What was read of a mapped file counts as memory for as long as it is mapped.
        return _hashes(_map(database, header.page_size), database, leaves, seeds)
    except (_NotReadable, IndexError):
        return None


def _map(database: Path, page_size: int) -> "_File":
    data = np.memmap(database, np.uint8, "r")
    return _File(data, page_size, page_size - int(data[_RESERVED_AT]))


def _root_of(database: Path, table: str) -> int | None:
    query = "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?"
    with closing(connect_read_only(database)) as connection:
        found = connection.execute(query, [table]).fetchone()
    return found[0] if found and isinstance(found[0], int) and found[0] > 1 else None


@dataclass(frozen=True, slots=True)
class _File:
    """A database file. ``usable``: bytes of a page that SQLite uses. Pages are counted from 0."""

    data: _Bytes
    page_size: int
    usable: int

    @property
    def pages(self) -> int:
        return len(self.data) // self.page_size

    def require(self, pages: _Numbers) -> _Numbers:
        """Return pages that are all in the file; the first one is never one of a table."""
        if ((pages < 1) | (pages >= self.pages)).any():
            raise _NotReadable
        return pages


@dataclass(frozen=True, slots=True)
class _Window:
    """Bytes in memory that is Arrow's own.

    A thread of Polars that lets go of memory of Python's would wait for Python, which waits for it.
    """

    data: _Bytes
    buffer: pa.Buffer

    @classmethod
    def of_size(cls, size: int) -> "_Window":
        buffer = pa.allocate_buffer(size)
        data = np.frombuffer(buffer, np.uint8)
        data[:] = 0
        return cls(data, buffer)


@dataclass(frozen=True, slots=True)
class _Records:
    """Records of one window of a file. ``at``, ``local``: where each begins, its bytes there.

    ``size``: of the whole record; its end is on other pages where it is more.
    """

    rowid: _Numbers
    size: _Numbers
    at: _Numbers
    local: _Numbers


def _hashes(
    file: _File, database: Path, leaves: _Numbers, seeds: Sequence[int]
) -> pl.DataFrame | None:
    schema = {ROWID: pl.Int64(), **dict.fromkeys(QUICK, pl.UInt64())}
    parts = [pl.DataFrame(schema=schema)]
    for window, pages in _windows(file, database, leaves):
        records = _records(file, window.data, pages)
        start = _binary(window, records.at, records.local)
        hashes = [pl.DataFrame([start]).hash_rows(seed=seed) for seed in seeds]
        longer = np.flatnonzero(records.size > records.local)
        if len(longer):
            for some in np.array_split(longer, len(longer) // _AT_ONCE + 1):
                hashes = _with_chains(file, window.data, records, some, hashes, seeds)
        numbered = pl.DataFrame({ROWID: records.rowid})
        named = (one.alias(name) for one, name in zip(hashes, QUICK, strict=True))
        parts.append(numbered.with_columns(*named))
    found = pl.concat(parts).sort(ROWID)
    return None if found[ROWID].is_duplicated().any() else found


def _leaves(file: _File, root: int) -> _Numbers:
    """Return the leaves of a table, from its root; all of them are as deep."""
    level = file.require(np.array([root], np.int64))
    for _ in range(_DEEPEST):
        at = level * file.page_size
        if file.data[at[0]] == _LEAF:  # of the others, their window tells
            return np.sort(level)
        if not (file.data[at] == _INNER).all():
            raise _NotReadable
        cells = _cells(file, file.data, at, _INNER_HEAD)
        last = _number(file.data, at + _LEAF_HEAD, 4)
        level = file.require(np.concatenate([_number(file.data, cells, 4), last]) - 1)
        if len(level) > file.pages:
            raise _NotReadable
    raise _NotReadable


def _windows(file: _File, database: Path, leaves: _Numbers) -> Iterator[tuple[_Window, _Numbers]]:
    """Yield pieces of the file, and where in each its leaves begin."""
    pages = max(_WINDOW_BYTES // file.page_size, 1)
    begins = np.flatnonzero(np.diff(leaves // pages, prepend=-1))
    for some in np.split(leaves, begins[1:]):
        first, last = int(some[0]), int(some[-1])
        count, offset = (last - first + 1) * file.page_size, first * file.page_size
        window = _Window.of_size(count + _SHORT)  # so that no number is read beyond its end
        with database.open("rb") as opened:
            opened.seek(offset)
            if opened.readinto(memoryview(window.data)[:count]) != count:  # type: ignore[arg-type]
                raise _NotReadable
        yield window, (some - first) * file.page_size


def _cells(file: _File, data: _Bytes, at: _Numbers, head: int) -> _Numbers:
    """Return where the cells of pages begin; ``at``: where the pages do."""
    count = _number(data, at + 3, 2)
    if (head + 2 * count > file.usable).any():
        raise _NotReadable
    page = np.repeat(at, count)
    nth = np.arange(len(page)) - np.repeat(np.cumsum(count) - count, count)
    place = _number(data, page + head + 2 * nth, 2)
    if (place >= file.usable).any():
        raise _NotReadable
    return page + place


def _records(file: _File, window: _Bytes, pages: _Numbers) -> _Records:
    if not (window[pages] == _LEAF).all():
        raise _NotReadable
    cell = _cells(file, window, pages, _LEAF_HEAD)
    size, first = _varint(window, cell)
    rowid, second = _varint(window, cell + first)
    most = file.usable - 35  # the file format's own numbers: how much of a record is in its cell
    least = (file.usable - 12) * 32 // 255 - 23
    shared = least + (size - least) % (file.usable - 4)
    local = np.where(size <= most, size, np.where(shared <= most, shared, least))
    at = cell + first + second
    pointer = np.where(size > local, 4, 0)
    if (size < 0).any() or (at % file.page_size + local + pointer > file.usable).any():
        raise _NotReadable
    return _Records(rowid, size, at, local)


def _with_chains(  # noqa: PLR0913, PLR0917 - what a chain begins with
    file: _File,
    window: _Bytes,
    records: _Records,
    longer: _Numbers,
    hashes: list[pl.Series],
    seeds: Sequence[int],
) -> list[pl.Series]:
    """Return the hashes of records with those of their ends, which are on chains of pages."""
    follows = _number(window, records.at[longer] + records.local[longer], 4) - 1
    left = records.size[longer] - records.local[longer]
    while len(longer):
        at = file.require(follows) * file.page_size
        pages = _Window.of_size(len(at) * file.page_size)
        begins = np.arange(len(at)) * file.page_size
        every = file.data[: file.pages * file.page_size].reshape(-1, file.page_size)
        pages.data.reshape(-1, file.page_size)[:] = every[follows]
        piece = _binary(pages, begins + 4, np.minimum(left, file.usable - 4))
        places = pl.Series(longer)
        hashes = [
            one.scatter(places, pl.DataFrame([one[places], piece]).hash_rows(seed=seed))
            for one, seed in zip(hashes, seeds, strict=True)
        ]
        left = left - (file.usable - 4)
        going = left > 0
        follows, left, longer = _number(file.data, at, 4)[going] - 1, left[going], longer[going]
    return hashes


def _binary(window: _Window, at: _Numbers, size: _Numbers) -> pl.Series:
    """Return values that lie in a window, as a column of Arrow's views; nothing is copied."""
    held = _Window.of_size(len(at) * _VIEW_BYTES)
    views = held.data.view(np.uint32).reshape(-1, 4)
    views[:, 0], views[:, 3] = size, np.where(size > _SHORT, at, 0)
    as_bytes = held.data.reshape(-1, _VIEW_BYTES)
    for place in range(_SHORT):  # all of a short value; what a long one begins with
        wanted = np.flatnonzero((size > place) & ((size <= _SHORT) | (place < _PREFIX)))
        as_bytes[wanted, _PREFIX + place] = window.data[at[wanted] + place]
    buffers = [None, held.buffer, window.buffer]
    found = pl.from_arrow(pa.Array.from_buffers(pa.binary_view(), len(at), buffers))
    assert isinstance(found, pl.Series)  # noqa: S101 - an array is never a frame
    return found.alias("record")


def _number(data: _Bytes, at: _Numbers, length: int) -> _Numbers:
    """Return the unsigned numbers of so many bytes, the highest first."""
    found = data[at].astype(np.int64)
    for place in range(1, length):
        found = found << 8 | data[at + place]
    return found


def _varint(data: _Bytes, at: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Return numbers of one to nine bytes, and how many each has."""
    found, length = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    going = np.arange(len(at))
    for place in range(_LONGEST_NUMBER):
        byte = data[at[going] + place].astype(np.int64)
        is_last = place == _LONGEST_NUMBER - 1
        bits = (8, byte) if is_last else (7, byte & 0x7F)
        found[going] = found[going] << bits[0] | bits[1]
        length[going] += 1
        going = going[byte >= 0x80]  # noqa: PLR2004 - the bit that says that more follow
    return found, length
