"""The protocol between two processes of ours: a sequence of blocks, each with its length.

A block is a document, and as many more follow it as that has tables.
"""

import json
import os
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from neotoma_core.documents.models import NotAsModelled

_LENGTH: Final = 8
_AT_ONCE: Final = 1 << 20
_GONE: Final = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Late(Exception):
    """The other process did not answer in time."""


class TooLong(Exception):
    """The other process says more than it may."""


def to_bytes(document: Mapping[str, object]) -> bytes:
    """Return a document as bytes; texts in it may be names that are not UTF-8."""
    return json.dumps(document).encode("ascii")  # noqa: TID251 - read by the other process alone


def from_bytes(content: bytes) -> Any:  # noqa: ANN401 - not yet read as anything
    """Return the document in some bytes; raises NotAsModelled."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        pass
    raise NotAsModelled("", "a document")


def write_block(pipe: BinaryIO, content: bytes) -> None:
    """Write one block."""
    pipe.write(len(content).to_bytes(_LENGTH, "big"))
    pipe.write(content)
    pipe.flush()


def read_block(pipe: BinaryIO) -> bytes | None:
    """Read one block; None where nobody writes any longer."""
    length = pipe.read(_LENGTH)
    return pipe.read(int.from_bytes(length, "big")) if len(length) == _LENGTH else None


@dataclass(frozen=True, slots=True)
class Line:
    """The ends of two pipes to another process, which may say anything, or nothing for ever."""

    to: int
    back: int

    def write(self, content: bytes, until: float) -> None:
        """Write one block before a moment of ``time.monotonic``.

        Raises Late, and BrokenPipeError where the process is gone.
        """
        left = memoryview(len(content).to_bytes(_LENGTH, "big") + content)
        while left:
            _wait(self.to, select.POLLOUT, until)
            left = left[os.write(self.to, left[: select.PIPE_BUF]) :]

    def read(self, most: int, until: float) -> bytes:
        """Read one block of at most so many bytes before a moment of ``time.monotonic``.

        Raises Late, TooLong, and EOFError where the process is gone.
        """
        length = int.from_bytes(self._exactly(_LENGTH, until), "big")
        if length > most:
            raise TooLong
        return self._exactly(length, until)

    def _exactly(self, count: int, until: float) -> bytes:
        read = bytearray()
        while len(read) < count:
            _wait(self.back, select.POLLIN, until)
            block = os.read(self.back, min(_AT_ONCE, count - len(read)))
            if not block:
                raise EOFError
            read += block
        return bytes(read)


def _wait(descriptor: int, event: int, until: float) -> None:
    """Return once something can be read or written, or nobody is there; raises Late."""
    poll = select.poll()
    poll.register(descriptor, event)
    # Asked at least once: a process that was stopped for long may well have its answer.
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise Late


def wait_until_gone(descriptor: int, seconds: float) -> bool:
    """Return whether nobody is left at the other end of a pipe, after so many seconds at most."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(happened & _GONE for _, happened in poll.poll(seconds * 1000))
