"""Files of this machine that become objects, and objects that become files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from neotoma_core.errors import RemoteDamaged
from neotoma_core.files.failures import naming
from neotoma_core.files.regular import open_regular
from neotoma_core.stores.store import Content, Told

PIECE: Final = 1 << 20


def bytes_of(content: Content) -> bytes:
    """Return all of what becomes an object: where it is small."""
    return content if isinstance(content, bytes) else content.read_bytes()


def size_of(content: Content) -> int:
    """Return how large it is."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def pieces(content: Content, size: int = PIECE) -> Iterator[bytes]:
    """Yield it piece by piece."""
    if isinstance(content, bytes):
        for start in range(0, len(content), size):
            yield content[start : start + size]
        return
    with open_regular(content) as file:
        while piece := file.read(size):
            yield piece


class Advance:
    """Tells how far a content was sent, once, however often that begins again."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._furthest = 0

    def to(self, position: int) -> None:
        """Report what lies before a position and was not reported."""
        if position > self._furthest:
            self._told(position - self._furthest)
            self._furthest = position

    def through(self, found: Iterator[bytes]) -> Iterator[bytes]:
        """Yield pieces from the beginning, each reported before."""
        position = 0
        for piece in found:
            position += len(piece)
            self.to(position)
            yield piece


def length_of(path: Path) -> int:
    """Return how much of a file is there; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def continue_file(path: Path, size: int) -> Iterator[tuple[BinaryIO, int]]:
    """Open a private file to go on where it ends, which is returned; longer ones begin again."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with naming(path), os.fdopen(descriptor, "r+b") as file:
        start = file.seek(0, os.SEEK_END)
        if start > size:
            start = file.seek(0)
            file.truncate()
        yield file, start


def whole_piece(url: str, name: str, piece: bytes, size: int) -> bytes:
    """Return a piece of an object; raises RemoteDamaged where it is not as long as asked for."""
    if len(piece) != size:
        raise RemoteDamaged(url, f"{name} is shorter than it was")
    return piece


def same(content: Content, there: Iterator[bytes]) -> bool:
    """Return whether an object that comes in pieces is what ``content`` is."""
    ours = pieces(content)
    rest = b""
    for piece in there:
        while len(rest) < len(piece):
            more = next(ours, b"")
            if not more:
                return False
            rest += more
        if rest[: len(piece)] != piece:
            return False
        rest = rest[len(piece) :]
    return not rest and not next(ours, b"")
