"""A store on a second machine, in a folder that SSH leads to."""

import asyncio
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Final, TypeVar

from neotoma_core.errors import ObjectMissing, RemoteDenied, RemoteError, RemoteUnreachable
from neotoma_core.stores.content import (
    Advance,
    continue_file,
    length_of,
    pieces,
    same,
    size_of,
    whole_piece,
)
from neotoma_core.stores.failures import Foreign, library, patiently, while_advancing
from neotoma_core.stores.names import TEMPORARY, Address, folder_of, require_name
from neotoma_core.stores.ssh.session import Action, SftpSession
from neotoma_core.stores.ssh.writing import Writer
from neotoma_core.stores.store import Content, StoredObject, StoreOptions, Told, untold

T = TypeVar("T")

_PIECE: Final = 4 << 20
_FOLDERS_AT_ONCE: Final = 16
_ROOM: Final = 1 << 20


def open_sftp(address: Address, options: StoreOptions) -> "SftpStore":
    """Open a folder of another machine; the connection is made when it is needed."""
    path = address.path
    root = path.removeprefix("/~").lstrip("/") or "." if (path + "/").startswith("/~/") else path
    return SftpStore(address, root, options.retries)


class SftpStore:
    """See the module."""

    def __init__(self, address: Address, root: str, retries: int) -> None:
        self._url = address.shown
        self._root = root
        self._retries = retries
        self._ssh = library("asyncssh")
        self._session = SftpSession(address)
        self._writer = Writer(self._url, root, self._ssh)

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
        require_name(name)
        doubts: list[str] = []
        send = partial(self._send, name, content, Advance(told))
        made = patiently(send, self._retries, partial(doubts.append, name))
        return made or (bool(doubts) and self._is(name, content))

    def _send(self, name: str, content: Content, advance: Advance) -> bool:
        temporary = self._writer.path(f"{TEMPORARY}/{token_hex(16)}.tmp")
        size = size_of(content)
        client, file = self._ask(name, partial(self._writer.begin, temporary=temporary), size)
        sent = 0
        for piece in pieces(content, _PIECE):
            advance.to(sent + len(piece))
            self._ask(name, partial(_write, file=file, piece=piece, at=sent), size, client)
            sent += len(piece)
        finish = partial(self._writer.finish, file=file, temporary=temporary, name=name)
        return self._ask(name, finish, size, client)

    def _is(self, name: str, content: Content) -> bool:
        """Return whether the object of a name is ``content``."""
        compare = partial(self._compare, name, content)
        return patiently(compare, self._retries)

    def _compare(self, name: str, content: Content) -> bool:
        size, there = self._open(name, 0)
        return size == size_of(content) and same(content, there)

    def read(self, name: str) -> bytes:
        """Return an object."""
        require_name(name)

        def read() -> bytes:
            size, there = self._open(name, 0)
            return self._whole(name, size, b"".join(there))

        return patiently(read, self._retries)

    def _whole(self, name: str, size: int, content: bytes) -> bytes:
        if len(content) != size:
            raise RemoteUnreachable(self._url, f"{name} was cut short on the way")
        return content

    def read_piece(self, name: str, start: int, size: int) -> bytes:
        """Return a piece of an object."""
        require_name(name)

        def read() -> bytes:
            path, end = self._writer.path(name), start + size
            self._ask(name, lambda client: client.stat(path))  # says so where it is missing
            return b"".join(self._pieces(name, path, start, end))[:size]

        return whole_piece(self._url, name, patiently(read, self._retries), size)

    def download(self, name: str, to: Path, told: Told = untold) -> None:
        """Write an object to a file; goes on for as long as it advances."""
        require_name(name)
        told(length_of(to))
        fetch = partial(self._fetch, name, to, told)
        while_advancing(fetch, partial(length_of, to), self._retries)

    def _fetch(self, name: str, to: Path, told: Told) -> None:
        had = length_of(to)
        size, there = self._open(name, had)
        with continue_file(to, size) as (file, start):
            told(start - had)
            if start != had:
                _, there = self._open(name, start)
            for piece in there:
                file.write(piece)
                told(len(piece))
            if file.tell() != size:
                raise RemoteUnreachable(self._url, f"{name} was cut short on the way")

    def _open(self, name: str, start: int) -> tuple[int, Iterator[bytes]]:
        """Return the size of an object, and its content from ``start`` on, when it is taken."""
        path = self._writer.path(name)
        facts = self._ask(name, lambda client: client.stat(path))
        return facts.size, self._pieces(name, path, start, facts.size)

    def _pieces(self, name: str, path: str, start: int, size: int) -> Iterator[bytes]:
        if start >= size:
            return
        client, file = self._ask(name, partial(_open, path=path))
        try:
            while start < size:
                piece = self._ask(name, partial(_read, file=file, at=start), on=client)
                if not piece:
                    return
                yield piece
                start += len(piece)
        finally:
            with suppress(RemoteError):
                self._ask(name, lambda _: file.close(), on=client)

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield objects by name."""
        folder = folder_of(prefix)
        objects = patiently(
            partial(self._ask, folder, partial(self._walk, folder=folder)), self._retries
        )
        yield from sorted((o for o in objects if o.name > after), key=lambda one: one.name)

    async def _walk(self, client: Foreign, folder: str) -> Iterable[StoredObject]:
        room = asyncio.Semaphore(_FOLDERS_AT_ONCE)
        found = []

        async def walk(folder: str) -> None:
            async with room:
                try:
                    entries = await client.readdir(self._writer.path(folder))
                except self._ssh.SFTPNoSuchFile:
                    await self._require_root(client)
                    return
            below = []
            for entry in entries:
                name, mode = f"{folder}{entry.filename}", entry.attrs.permissions or 0
                if stat.S_ISREG(mode):
                    modified = datetime.fromtimestamp(entry.attrs.mtime or 0, UTC)
                    found.append(StoredObject(name, entry.attrs.size or 0, modified))
                elif stat.S_ISDIR(mode) and entry.filename not in (".", "..") and name != TEMPORARY:
                    below.append(f"{name}/")
            await asyncio.gather(*map(walk, below))

        await walk(folder)
        return found

    def delete(self, name: str) -> None:
        """Remove an object."""
        path = self._writer.path(require_name(name))
        with suppress(ObjectMissing):
            remove = partial(self._ask, name, lambda client: client.remove(path))
            patiently(remove, self._retries)

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    def _ask(self, name: str, action: Action[T], size: int = 0, on: Foreign = None) -> T:
        """Ask once; what the far side says is an error of ours.

        ``size``: what it has to hold. ``on``: the connection that a file was opened on.
        """
        try:
            return self._session.ask(action, on)
        except self._ssh.SFTPNoSuchFile as error:
            self._session.ask(self._require_root)
            raise ObjectMissing(self._url, name) from error
        except self._ssh.SFTPPermissionDenied as error:
            advice = "change the permissions of the folder there and run again"
            raise RemoteDenied(self._url, f"{name}: permission denied", advice) from error
        except self._ssh.SFTPError as error:
            if size and self._session.ask(partial(self._is_full, size=size)):
                wrong = "the disk of that machine is full"
                raise RemoteError(self._url, wrong, "make room there and run again") from error
            wrong = f"{name}: it failed there ({type(error).__name__})"
            raise RemoteError(self._url, wrong, "check that machine and run again") from error

    async def _require_root(self, client: Foreign) -> None:
        try:
            await client.stat(self._root)
        except self._ssh.SFTPError as error:
            raise RemoteError(
                self._url,
                "there is no such folder",
                "if it is on a disk, plug that in; if it is new, make the folder there",
            ) from error

    async def _is_full(self, client: Foreign, size: int) -> bool:
        try:
            facts = await client.statvfs(self._root)
        except self._ssh.SFTPError:
            return False
        return bool(facts.bavail * facts.frsize < max(size, _ROOM))


async def _open(client: Foreign, path: str) -> tuple[Foreign, Foreign]:
    return client, await client.open(path, "rb")


async def _write(_: Foreign, file: Foreign, piece: bytes, at: int) -> None:
    await file.write(piece, at)


async def _read(_: Foreign, file: Foreign, at: int) -> bytes:
    return bytes(await file.read(_PIECE, at))
