"""Stores around stores: what limits how fast bytes go, and what counts them."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from neotoma_core.stores.store import Content, Store, StoredObject, Told, untold

_PAGE: Final = 1000  # names in one answer, as S3 has it


class Wrapped:
    """A store that does what another one does, and passes on how many bytes go either way."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def passing_out(self, size: int) -> None:
        """Know of bytes that are about to be sent."""

    def passing_in(self, size: int) -> None:
        """Know of bytes that came."""

    def asking(self, requests: int = 1) -> None:
        """Know of requests."""

    @property
    def url(self) -> str:
        """The address."""
        return self.store.url

    @property
    def ways(self) -> tuple[Callable[[str, bytes], bool], ...]:
        """How it creates."""
        return self.store.ways

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        """Create an object."""
        self.asking()
        return self.store.create(name, content, _both(self.passing_out, told))

    def read(self, name: str) -> bytes:
        """Return an object."""
        self.asking()
        content = self.store.read(name)
        self.passing_in(len(content))
        return content

    def read_piece(self, name: str, start: int, size: int) -> bytes:
        """Return a piece of an object."""
        self.asking()
        piece = self.store.read_piece(name, start, size)
        self.passing_in(len(piece))
        return piece

    def download(self, name: str, to: Path, told: Told = untold) -> None:
        """Write an object to a file."""
        self.asking()
        had = _Had(to.stat().st_size if to.exists() else 0)
        self.store.download(name, to, _both(partial(had.beyond, self.passing_in), told))

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield objects by name."""
        self.asking()
        for number, one in enumerate(self.store.list(prefix, after), 1):
            if number % _PAGE == 0:
                self.asking()
            yield one

    def delete(self, name: str) -> None:
        """Remove an object."""
        self.asking()
        self.store.delete(name)

    def close(self) -> None:
        """Close the connections."""
        self.store.close()


@dataclass(slots=True)
class _Had:
    """What a file held before: a download reports it first, and does not fetch it again."""

    size: int

    def beyond(self, told: Told, size: int) -> None:
        known = min(self.size, max(size, 0))
        self.size -= known
        if size > known:
            told(size - known)


@dataclass(slots=True)
class Traffic:
    """Requests as a store of the cloud counts them, about; bytes of objects sent and received."""

    requests: int = 0
    sent: int = 0
    received: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, requests: int = 0, sent: int = 0, received: int = 0) -> None:
        """Count."""
        with self._lock:
            self.requests += requests
            self.sent += sent
            self.received += received


class Counted(Wrapped):
    """A store whose ``traffic`` is counted; parts of large objects are not requests of it."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.traffic = Traffic()

    def passing_out(self, size: int) -> None:
        """Count bytes sent."""
        self.traffic.add(sent=size)

    def passing_in(self, size: int) -> None:
        """Count bytes received."""
        self.traffic.add(received=size)

    def asking(self, requests: int = 1) -> None:
        """Count requests."""
        self.traffic.add(requests)


class Limited(Wrapped):
    """A store that bytes go to and come from no faster than ``rate`` bytes a second."""

    def __init__(
        self,
        store: Store,
        rate: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(store)
        if rate <= 0:
            raise ValueError("a limit is at least one byte a second")
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()
        self._lock = threading.Lock()

    def passing_out(self, size: int) -> None:
        """Wait until there is room for bytes that are about to be sent."""
        self._take(size)

    def passing_in(self, size: int) -> None:
        """Wait for as long as bytes that came should have taken."""
        self._take(size)

    def _take(self, size: int) -> None:
        """Let at most a second's worth go at once; longer waits are shared by all threads."""
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now - 1.0) + size / self._rate
            wait = self._free_at - now
        if wait > 0:
            self._sleep(wait)


def limit(store: Store, bytes_per_second: int | None) -> Store:
    """Return a store that keeps to a limit; the same store where there is none."""
    return store if bytes_per_second is None else Limited(store, bytes_per_second)


def _both(first: Told, second: Told) -> Told:
    def tell(size: int) -> None:
        first(size)
        second(size)

    return tell
