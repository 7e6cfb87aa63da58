"""What is asked of the server of forks: one program."""

import os
from dataclasses import dataclass
from typing import Final, Self

LISTENS: Final = "asked"
"""The socket in the folder of the server."""
LONGEST: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Request:
    """A program, as Python's command line says it: ``-c CODE …`` or ``-m MODULE …``.

    ``numbers``: which descriptors it is to have, in the order in which they are sent. ``session``:
    it begins a session of its own. As a message: all in this order, each ended by a zero byte, the
    environment last.
    """

    folder: bytes
    umask: int
    session: bool
    numbers: tuple[int, ...]
    words: tuple[bytes, ...]
    environment: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """Return the message."""
        numbers = " ".join(map(str, self.numbers))
        facts = f"{self.umask:o}", str(int(self.session)), numbers, str(len(self.words))
        texts = (self.folder, *map(os.fsencode, facts), *self.words, *self.environment)
        return b"".join(text + b"\0" for text in texts)

    @classmethod
    def from_bytes(cls, message: bytes) -> Self:
        """Return what a message asks for."""
        folder, umask, session, numbers, count, *texts = message.split(b"\0")[:-1]
        many = int(count)
        return cls(
            folder,
            int(umask, 8),
            session == b"1",
            tuple(map(int, numbers.split())),
            tuple(texts[:many]),
            tuple(texts[many:]),
        )
