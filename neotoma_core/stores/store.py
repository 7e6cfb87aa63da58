"""What every store can do, whatever it is made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

Content = bytes | Path
"""What becomes an object: bytes, or a file, which is read piece by piece."""

Told = Callable[[int], None]
"""Called with how many more bytes were moved, before they are sent and after they came."""


def untold(_: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as a listing has it. ``modified``: by the clock of the store, in UTC."""

    name: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What an address does not say.

    ``endpoint``: where an S3-compatible store, Azure or Google is, instead of the vendor's own
    place. ``profile``: of the AWS settings. ``retries``: how often a request is tried again.
    """

    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None
    retries: int = 4


class Store(Protocol):
    """A store. Names are texts parted by ``/``, relative to the address.

    All methods may be called from several threads. They raise RemoteError or one of its kinds,
    ValueError for a name that cannot be (see ``names.require_name``), and OSError only for
    a file of this machine that is read or written for them.
    """

    @property
    def url(self) -> str:
        """The address as it may be shown: it never holds a secret."""

    @property
    def ways(self) -> tuple[Callable[[str, bytes], bool], ...]:
        """Every way in which ``create`` sends an object: each of them is probed."""

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        """Create an object unless there is one of that name; True where this call made it.

        Never overwrites. Of several writers of bytes one wins, always; of large files, on every
        store that keeps its word (see ``objects``). What it made is durable when it returns. Where
        a connection broke so that it is not known who made an object, the object decides: True if
        its content is ours.
        """

    def read(self, name: str) -> bytes:
        """Return an object. Raises ObjectMissing."""

    def read_piece(self, name: str, start: int, size: int) -> bytes:
        """Return ``size`` bytes of an object that has them, from ``start`` on.

        Raises ObjectMissing, and RemoteError where there are fewer.
        """

    def download(self, name: str, to: Path, told: Told = untold) -> None:
        """Write an object to a file, which is private, and continued where it is partly there.

        What was there is taken for the beginning of the object, and reported: the caller compares
        the hash. Raises ObjectMissing, and OSError of the file.
        """

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield the objects below a prefix of whole segments, by name, those after ``after``."""

    def delete(self, name: str) -> None:
        """Remove an object, if there is one."""

    def close(self) -> None:
        """Close the connections."""
