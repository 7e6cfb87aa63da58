"""An object of a store as a file; only what is read of it is fetched."""

import io
from typing import Final

from neotoma_core.stores.store import Store

_AT_LEAST: Final = 512 << 10  # bytes of a request


class PiecesOf(io.RawIOBase):
    """An object, to be read from any position; see the module.

    What was fetched last is kept, since a reader of Arrow asks for the end of a file twice, and for
    the head and the rows of a batch one after the other.
    """

    def __init__(self, store: Store, name: str, size: int) -> None:
        super().__init__()
        self._store = store
        self._name = name
        self._size = size
        self._at = 0
        self._first, self._held = 0, b""

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a position."""
        before = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, before + offset)
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, or all that are left."""
        left = max(0, self._size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        start = self._at - self._first
        if not 0 <= start <= start + wanted <= len(self._held):
            self._fetch(wanted)
            start = self._at - self._first
        self._at += wanted
        return self._held[start : start + wanted]

    def _fetch(self, wanted: int) -> None:
        """Fetch what is wanted, and more: what is before it where it is at the end."""
        size = min(max(wanted, _AT_LEAST), self._size)
        self._first = min(self._at, self._size - size)
        self._held = self._store.read_piece(self._name, self._first, size)
