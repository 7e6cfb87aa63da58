"""Stores of the cloud through obstore: S3 and what speaks like it, Azure, Google.

Write order: one request that creates, refused where the name is taken; large files in parts,
which become an object in one such request. A request whose answer was lost is asked again, and
where the name is taken then, the object there is compared: only ours makes it ours.

Some servers (SeaweedFS 4.48) let several writers at the same moment win with parts, and then the
last one's object stays. So what decides between writers, an entry, is handed over as bytes and goes
in one request, however long it is.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Final, Protocol, TypeVar

from neotoma_core.errors import (
    NativePanic,
    ObjectMissing,
    RemoteDenied,
    RemoteUnreachable,
    is_panic,
)
from neotoma_core.stores.content import (
    Advance,
    bytes_of,
    continue_file,
    length_of,
    pieces,
    same,
    size_of,
    whole_piece,
)
from neotoma_core.stores.failures import (
    Foreign,
    library,
    of_object_store,
    patiently,
    while_advancing,
)
from neotoma_core.stores.names import TEMPORARY, folder_of, require_name
from neotoma_core.stores.store import Content, StoredObject, Told, untold

T = TypeVar("T")

ONE_REQUEST: Final = 8 << 20
"""A file larger than this goes in parts."""

_PAGE: Final = 1000
_STREAMED: Final = 1 << 20


class InParts(Protocol):
    """How a vendor takes large objects."""

    def create(self, name: str, content: Content, told: Told) -> bool | None:
        """Create an object; False where the name is taken, None where that is not certain."""

    def close(self) -> None:
        """Close the connections."""


class ObjectStore:
    """See the module. ``client``: an obstore store that tries nothing again."""

    def __init__(
        self, url: str, client: Foreign, retries: int, in_parts: InParts | None = None
    ) -> None:
        self._url = url
        self._client = client
        self._retries = retries
        self._in_parts = in_parts or ByCopying(url, client, retries)
        self._library = library("obstore")
        self._errors = library("obstore.exceptions")

    @property
    def url(self) -> str:
        """The address."""
        return self._url

    @property
    def ways(self) -> tuple[Callable[[str, bytes], bool], ...]:
        """How it creates: in one request, and in parts."""
        return (self.create, self._create_in_parts)

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        """Create an object."""
        require_name(name)
        if isinstance(content, Path) and size_of(content) > ONE_REQUEST:
            return self._create_in_parts(name, content, told)
        held = bytes_of(content)
        told(len(held))
        doubts: list[str] = []
        put = partial(self._put, name, held)
        made = patiently(put, self._retries, partial(doubts.append, name))
        return made or (bool(doubts) and self._is(name, held))

    def _put(self, name: str, held: bytes) -> bool:
        def put() -> bool:
            try:
                self._library.put(self._client, name, held, mode="create", use_multipart=False)
            except self._errors.AlreadyExistsError as error:
                if "ConditionalRequestConflict" not in str(error):
                    return False
            else:
                return True
            raise RemoteUnreachable(self._url, f"another writer is creating {name}")

        return call(put, self._url, name)

    def _create_in_parts(self, name: str, content: Content, told: Told = untold) -> bool:
        made = self._in_parts.create(name, content, told)
        return self._is(name, content) if made is None else made

    def _is(self, name: str, content: Content) -> bool:
        """Return whether the object of a name is ``content``."""

        def compare() -> bool:
            meta = call(lambda: self._library.head(self._client, name), self._url, name)
            return meta["size"] == size_of(content) and same(content, self._chunks(name, 0))

        return patiently(compare, self._retries)

    def read(self, name: str) -> bytes:
        """Return an object."""
        require_name(name)

        def read() -> bytes:
            return bytes(self._library.get(self._client, name).bytes())

        return patiently(lambda: call(read, self._url, name), self._retries)

    def read_piece(self, name: str, start: int, size: int) -> bytes:
        """Return a piece of an object."""
        require_name(name)
        if not size:
            return b""

        def read() -> bytes:
            return bytes(self._library.get_range(self._client, name, start=start, length=size))

        piece = patiently(lambda: call(read, self._url, name), self._retries)
        return whole_piece(self._url, name, piece, size)

    def download(self, name: str, to: Path, told: Told = untold) -> None:
        """Write an object to a file; goes on for as long as it advances."""
        require_name(name)
        told(length_of(to))
        fetch = partial(self._fetch, name, to, told)
        while_advancing(fetch, partial(length_of, to), self._retries)

    def _fetch(self, name: str, to: Path, told: Told) -> None:
        had = length_of(to)
        meta = call(lambda: self._library.head(self._client, name), self._url, name)
        with continue_file(to, meta["size"]) as (file, start):
            told(start - had)
            if start == meta["size"]:
                return
            for chunk in self._chunks(name, start):
                file.write(chunk)
                told(len(chunk))
            if file.tell() != meta["size"]:
                raise RemoteUnreachable(self._url, f"{name} was cut short on the way")

    def _chunks(self, name: str, start: int) -> Iterator[bytes]:
        options = {"range": {"offset": start}} if start else None
        result = call(
            lambda: self._library.get(self._client, name, options=options), self._url, name
        )
        stream = iter(result.stream(min_chunk_size=_STREAMED))
        while (chunk := call(lambda: next(stream, None), self._url, name)) is not None:
            yield bytes(chunk)

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield objects by name. Some stores ignore the offset, or have an order of their own."""
        folder = folder_of(prefix)

        def list_page() -> list[StoredObject]:
            found = self._library.list(
                self._client,
                folder or None,
                offset=_safe_offset(after) or None,
                chunk_size=_PAGE,
            )
            return [
                StoredObject(meta["path"], meta["size"], meta["last_modified"])
                for page in found
                for meta in page
            ]

        objects = patiently(lambda: call(list_page, self._url), self._retries)
        hidden = f"{TEMPORARY}/"
        kept = (o for o in objects if o.name > after and not o.name.startswith(hidden))
        yield from sorted(kept, key=lambda one: one.name)

    def delete(self, name: str) -> None:
        """Remove an object."""
        require_name(name)
        with suppress(ObjectMissing):
            patiently(partial(_delete, self._client, self._url, name), self._retries)

    def close(self) -> None:
        """Close the connections."""
        self._in_parts.close()


class ByCopying:
    """Large objects where parts cannot become an object only if there is none.

    They become one of a temporary name, which is copied unless the name is taken, and removed
    where that is allowed.
    """

    def __init__(self, url: str, client: Foreign, retries: int) -> None:
        self._url = url
        self._client = client
        self._retries = retries

    def create(self, name: str, content: Content, told: Told) -> bool | None:
        """Create an object."""
        obstore = library("obstore")
        temporary = f"{TEMPORARY}/{token_hex(16)}"

        advance = Advance(told)

        def send() -> None:
            sent = advance.through(pieces(content))
            obstore.put(self._client, temporary, sent, chunk_size=ONE_REQUEST, max_concurrency=4)

        def copy() -> bool:
            try:
                obstore.copy(self._client, temporary, name, overwrite=False)
            except library("obstore.exceptions").AlreadyExistsError:
                return False
            return True

        doubts: list[str] = []
        patiently(partial(call, send, self._url, name), self._retries)
        try:
            made = patiently(
                partial(call, copy, self._url, name), self._retries, partial(doubts.append, name)
            )
        finally:
            with suppress(RemoteDenied, RemoteUnreachable, ObjectMissing):
                _delete(self._client, self._url, temporary)
        return None if doubts and not made else made

    def close(self) -> None:
        """Nothing is open."""


def call(action: Callable[[], T], url: str, name: str = "") -> T:
    """Return what ``action`` returns; failures of the library are errors of ours.

    What the library raised is not kept: it may hold a signed address.
    """
    errors = library("obstore.exceptions")
    try:
        return action()
    except (errors.BaseError, FileNotFoundError) as error:
        known = of_object_store(error, url, name)
    except BaseException as error:
        if not is_panic(error):
            raise
        known = NativePanic("asking a remote")
    raise known


def _delete(client: Foreign, url: str, name: str) -> None:
    call(lambda: library("obstore").delete(client, name), url, name)


def _safe_offset(after: str) -> str:
    """Return a text a little before a name, so that no store leaves out what comes after that.

    Some stores list folder by folder: with them ``a/b`` comes before ``a-b``, and after ``a`` there
    is nothing of the folder ``a``.
    """
    kept = re.split("[^/-\U0010ffff]", after, maxsplit=1)[0]
    kept = re.sub("[^1-9A-Za-z]+$", "", kept)
    return f"{kept[:-1]}{chr(ord(kept[-1]) - 1)}~" if kept else ""
