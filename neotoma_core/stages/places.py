"""Where the parts of a job are: a folder, or the address of a store.

A place can be pickled, and no credential is in it: each machine has its own.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Final, Protocol, Self

from neotoma_core.errors import ObjectMissing, RemoteError
from neotoma_core.files.exact_paths import open_to_write
from neotoma_core.files.scratch import private_scratch, scratch_in
from neotoma_core.stages.pieces import PiecesOf
from neotoma_core.stores.opening import PLAIN, open_store
from neotoma_core.stores.store import Store, StoreOptions

Write = Callable[[IO[bytes]], None]
Opened = IO[bytes] | PiecesOf

_CONTENT: Final = "content"


class Place(Protocol):
    """A place of files that are there whole or not at all, and never change."""

    def size_of(self, name: str) -> int | None:
        """Return how large a file is; None where it is not there."""

    def write(self, name: str, write: Write) -> int:
        """Make a file, unless another did meanwhile; return how large the one there is."""

    def open(self, name: str, size: int) -> Opened:
        """Open a file that is so large, to be read from any position."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def why_unseen(self) -> str | None:
        """Return why this process cannot use the place; None where it can."""

    @contextmanager
    def for_a_job(self) -> Iterator[Self]:
        """Yield a new place in this one; what is in it goes when the block ends."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that every worker sees by the same path."""

    path: Path

    def size_of(self, name: str) -> int | None:
        """Return how large a file is; None where it is not there."""
        with suppress(FileNotFoundError):
            return (self.path / name).stat().st_size
        return None

    def write(self, name: str, write: Write) -> int:
        """Make a file, under a name that no other task uses, and rename it."""
        path = self.path / name
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        try:
            with open_to_write(temporary) as file:
                write(file)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return path.stat().st_size

    def open(self, name: str, size: int) -> Opened:  # noqa: ARG002 - a store wants to know it
        """Open a file."""
        return (self.path / name).open("rb")

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def why_unseen(self) -> str | None:
        """Return why this process cannot use the folder."""
        return None if self.path.exists() else f"does not see {self.path}"

    @contextmanager
    def for_a_job(self) -> Iterator[Self]:
        """Yield a new private folder in this one."""
        with scratch_in(self.path) as folder:
            yield replace(self, path=folder)


@dataclass(frozen=True, slots=True)
class OnStore:
    """An address of a store that every worker reaches, with credentials of its own.

    ``url``: as it may be shown. ``folder``: of names below it.
    """

    url: str
    options: StoreOptions = field(default=PLAIN)
    folder: str = ""

    @property
    def store(self) -> Store:
        """The store, opened once in a process."""
        return _open_once(self.url, self.options)

    def size_of(self, name: str) -> int | None:
        """Return how large an object is; None where it is not there."""
        listed = self.store.list(self._below(name))
        return next((one.size for one in listed if one.name == self._object(name)), None)

    def write(self, name: str, write: Write) -> int:
        """Create an object, unless another did meanwhile.

        Raises ObjectMissing where that one is gone again.
        """
        with private_scratch() as scratch:
            with open_to_write(scratch / _CONTENT) as file:
                write(file)
            if self.store.create(self._object(name), scratch / _CONTENT):
                return (scratch / _CONTENT).stat().st_size
        size = self.size_of(name)
        if size is None:
            raise ObjectMissing(self.url, self._object(name))
        return size

    def open(self, name: str, size: int) -> Opened:
        """Open an object; what is read of it is fetched then."""
        return PiecesOf(self.store, self._object(name), size)

    def remove(self, name: str) -> None:
        """Remove an object, if it is there and may be removed."""
        with suppress(RemoteError):
            self.store.delete(self._object(name))

    def why_unseen(self) -> str | None:
        """Return why this process cannot use the address; the error's words hold no secret."""
        try:
            next(iter(self.store.list(self.folder)), None)
        except RemoteError as error:
            return f"cannot use {self.url}: {error.wrong}"
        return None

    @contextmanager
    def for_a_job(self) -> Iterator[Self]:
        """Yield a new folder of names; a job that is killed leaves its objects there."""
        job = replace(self, folder=self._below(f"midden-{uuid.uuid4().hex}"))
        try:
            yield job
        finally:
            with suppress(RemoteError):
                for one in list(self.store.list(job.folder)):
                    self.store.delete(one.name)

    def _below(self, name: str) -> str:
        return f"{self.folder}/{name}" if self.folder else name

    def _object(self, name: str) -> str:
        return f"{self._below(name)}/{_CONTENT}"  # so that listing a folder finds it alone


@lru_cache(maxsize=4)
def _open_once(url: str, options: StoreOptions) -> Store:
    return open_store(url, options)
