"""What a compressed file holds, as far as it can be had.

Invariant: damage ends the reading and is named; every byte that came out before it is given, none
is invented, and no call needs more memory than a few blocks.
"""

import bz2
import itertools
import lzma
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Final, Protocol

import zstandard

from neotoma_core.files.regular import CHUNK
from neotoma_core.unpacking.budgets import Budget, CutShort

_FEED: Final = 1024  # bytes at a time, since a few of them may stand for a hundred megabytes
_LOOKED_AT: Final = 16
_MOST_MEMORY: Final = 1 << 30
_WIDEST_WINDOW: Final = 1 << 31
CUT: Final = "it is cut short"
BROKEN: Final = "a part of it is damaged"
FOLLOWED: Final = "it is followed by bytes that are not part of it"
MAGIC_LOST: Final = "its first bytes are not those of its format"


class Reader(Protocol):
    """Something to read bytes from, to its end or to the damage.

    ``problem``: why it ended early, known once it has ended; empty where it did not.
    """

    @property
    def problem(self) -> str:
        """Why it ended early."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, fewer than asked for only at the end."""


class Decompressor(Protocol):
    """What every library calls the same."""

    @property
    def eof(self) -> bool:
        """Whether the end was reached."""

    @property
    def unused_data(self) -> bytes:
        """Return what came after the end."""

    def decompress(self, data: bytes, /) -> bytes:
        """Return what comes out for some more bytes."""


@dataclass(frozen=True, slots=True)
class Format:
    """A way of compressing: how its files start, and what undoes it."""

    magic: bytes
    new: Callable[[], Decompressor]


FORMATS: Final[Mapping[str, Format]] = {
    "gzip": Format(b"\x1f\x8b\x08", lambda: zlib.decompressobj(31)),
    "zstd": Format(
        b"\x28\xb5\x2f\xfd",
        lambda: zstandard.ZstdDecompressor(max_window_size=_WIDEST_WINDOW).decompressobj(),
    ),
    "xz": Format(b"\xfd7zXZ\x00", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)),
    "lzma": Format(b"\x5d\x00\x00", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, _MOST_MEMORY)),
    "bzip2": Format(b"BZh", bz2.BZ2Decompressor),
}
_BOUNDED: Final = (bz2.BZ2Decompressor, lzma.LZMADecompressor)
_DEFLATED: Final = type(zlib.decompressobj())
DEFLATED: Final = Format(b"", lambda: zlib.decompressobj(-15))


class Decompressing:
    """One compressed file, or one after the other where they are joined; a ``Reader``.

    ``file``: at least from ``start`` on; nothing beyond ``end`` is read where that is not None.
    ``before``: what the decompressor is given first. ``stopped_at``: where in the file the last
    whole one ended. ``remark``: what is odd about it, known once it has ended; its bytes are right.
    """

    def __init__(  # noqa: PLR0913 - what to read, and how
        self,
        file: IO[bytes],
        form: Format,
        budget: Budget,
        *,
        start: int = 0,
        end: int | None = None,
        before: bytes = b"",
        joined: bool = True,
    ) -> None:
        self.problem = self.remark = ""
        self.stopped_at = start
        self._file, self._form, self._budget = file, form, budget
        self._start, self._end, self._before = start, end, before
        self._blocks = self._all(joined=joined)
        self._left = bytearray()

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, fewer than asked for only at the end."""
        while len(self._left) < size and (block := next(self._blocks, None)) is not None:
            self._left += block
        taken = bytes(self._left[:size])
        del self._left[:size]
        return taken

    def _all(self, *, joined: bool) -> Generator[bytes, None, None]:
        at = self._start
        first = self._at(at, len(self._form.magic))
        if joined and not first.startswith(self._form.magic):
            self.problem = MAGIC_LOST
            self._before, at = self._form.magic, at + len(self._form.magic)
        while True:
            end = yield from self._one(at)
            if end is None:
                return
            self.stopped_at, self._before = end, b""
            following = self._at(end, _LOOKED_AT)
            if not joined or not following.strip(b"\0"):
                return
            if not following.startswith(self._form.magic):
                self.remark = FOLLOWED
                return
            at = end

    def _one(self, start: int) -> Generator[bytes, None, int | None]:
        """Yield what is in one compressed file; return its end, None where that is not known."""
        feed, at, given = self._form.new(), start, 0
        fed = self._before
        while not feed.eof:
            block = fed or self._at(at, _FEED)
            if not block:
                self.problem = CUT
                return None
            try:
                for out in _feed(feed, block):
                    given += len(out)
                    yield self._count(out)
            except CutShort:
                raise
            except Exception:  # noqa: BLE001 - whatever a library makes of damage
                yield from self._up_to_damage(start, at, given)
                self.problem = BROKEN
                return None
            at += 0 if fed else len(block)
            fed = b""
        return at - len(feed.unused_data)

    def _up_to_damage(self, start: int, at: int, given: int) -> Generator[bytes, None, None]:
        """Yield what comes out of the block at ``at`` before the damage in it.

        ``given``: how many bytes came out already. A library that fails keeps what it had of the
        last block, so it is fed that byte by byte.
        """
        feed = self._form.new()
        steps = [self._before] if self._before else []
        places = [(place, _FEED) for place in range(start, at, _FEED)]
        places += [(place, 1) for place in range(at, at + _FEED)]
        try:
            for block in itertools.chain(steps, itertools.starmap(self._at, places)):
                for out in _feed(feed, block):
                    new = out[max(0, given) :]
                    given -= len(out)
                    if new:
                        yield self._count(new)
        except CutShort:
            raise
        except Exception:  # noqa: BLE001 - here is the damage
            return

    def _count(self, out: bytes) -> bytes:
        self._budget.count_unpacked(len(out))
        return out

    def _at(self, place: int, size: int) -> bytes:
        if self._end is not None:
            size = max(0, min(size, self._end - place))
        self._file.seek(place)
        return self._file.read(size)


def _feed(feed: Decompressor, block: bytes) -> Iterator[bytes]:
    """Yield what comes out for a block, no more at a time than fits into memory."""
    if isinstance(feed, _BOUNDED):
        yield feed.decompress(block, CHUNK)
        while not feed.eof and not feed.needs_input:
            yield feed.decompress(b"", CHUNK)
    elif isinstance(feed, _DEFLATED):
        while block:
            yield feed.decompress(block, CHUNK)
            block = feed.unconsumed_tail
    else:
        yield feed.decompress(block)


class Stored:
    """A part of a file that is kept as it is; a ``Reader``."""

    def __init__(
        self, file: IO[bytes], budget: Budget, start: int = 0, end: int | None = None
    ) -> None:
        self.problem = ""
        self._file, self._budget, self._place, self._end = file, budget, start, end

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, fewer than asked for only at the end."""
        wanted = size if self._end is None else min(size, self._end - self._place)
        self._file.seek(self._place)
        block = self._file.read(wanted)
        self._place += len(block)
        if self._end is not None and len(block) < wanted:
            self.problem = CUT
        self._budget.count_unpacked(len(block))
        return block
