"""A store in memory, for tests: all that are opened under one name share their objects."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.errors import ObjectMissing
from neotoma_core.stores.content import bytes_of, continue_file, length_of, whole_piece
from neotoma_core.stores.names import Address, folder_of, require_name
from neotoma_core.stores.store import Content, StoredObject, StoreOptions, Told, untold


@dataclass(slots=True)
class _Shelf:
    lock: threading.Lock = field(default_factory=threading.Lock)
    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)


_shelves: Final[dict[str, _Shelf]] = {}
_making: Final = threading.Lock()


def open_memory(address: Address, _: StoreOptions) -> "MemoryStore":
    """Open the store of a name; ``memory://name/prefix``."""
    with _making:
        shelf = _shelves.setdefault(address.place, _Shelf())
    return MemoryStore(address, shelf)


class MemoryStore:
    """See the module."""

    def __init__(self, address: Address, shelf: _Shelf) -> None:
        self._url = address.shown
        self._prefix = f"{address.path}/" if address.path else ""
        self._shelf = shelf

    @property
    def url(self) -> str:
        """The address."""
        return self._url

    @property
    def ways(self) -> tuple[Callable[[str, bytes], bool], ...]:
        """How it creates."""
        return (self.create,)

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        """Create an object."""
        key = self._prefix + require_name(name)
        held = bytes_of(content)
        told(len(held))
        now = datetime.fromtimestamp(time.time(), UTC)
        with self._shelf.lock:
            return self._shelf.objects.setdefault(key, made := (held, now)) is made

    def read(self, name: str) -> bytes:
        """Return an object."""
        with self._shelf.lock:
            found = self._shelf.objects.get(self._prefix + require_name(name))
        if found is None:
            raise ObjectMissing(self._url, name)
        return found[0]

    def read_piece(self, name: str, start: int, size: int) -> bytes:
        """Return a piece of an object."""
        return whole_piece(self._url, name, self.read(name)[start : start + size], size)

    def download(self, name: str, to: Path, told: Told = untold) -> None:
        """Write an object to a file."""
        content = self.read(name)
        told(had := length_of(to))
        with continue_file(to, len(content)) as (file, start):
            told(start - had)
            file.write(content[start:])
            told(len(content) - start)

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield objects by name."""
        folder = folder_of(prefix)
        with self._shelf.lock:
            objects = [
                StoredObject(key.removeprefix(self._prefix), len(content), modified)
                for key, (content, modified) in self._shelf.objects.items()
                if key.startswith(self._prefix + folder)
            ]
        yield from sorted((o for o in objects if o.name > after), key=lambda one: one.name)

    def delete(self, name: str) -> None:
        """Remove an object."""
        with self._shelf.lock:
            self._shelf.objects.pop(self._prefix + require_name(name), None)

    def close(self) -> None:
        """Nothing is open."""
