"""Names of objects, and the addresses of stores: what may be one, and how one is shown."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from neotoma_core.errors import UsageError
from neotoma_core.words.nearest import nearest_named

TEMPORARY: Final = ".midden-tmp"
"""The folder of a store that holds what is not an object yet; never listed."""

_LONGEST_SEGMENT: Final = 255  # in bytes, as file systems have it
_LONGEST_NAME: Final = 900  # in bytes: S3 takes 1,024, with the prefix
_NEVER: Final = re.compile("[\x00-\x1f\x7f\\\\\ud800-\udfff]")
_PARTS: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<place>[^/]*)(?P<path>.*)", re.DOTALL
)
_HOST: Final = re.compile(r"(?:(?P<user>[^@:]*)@)?(?P<host>\[[^\]]+\]|[^:@]+)(?::(?P<port>\d+))?")
_HIGHEST_PORT: Final = 65535
_SCHEMES: Final = ("s3", "gs", "az", "file", "sftp", "memory")
# A path loses one of two slashes.
_URL: Final = re.compile(rf"({'|'.join(_SCHEMES)}):/+(.*)", re.DOTALL)


def url_of(words: str | Path) -> str | None:
    """Return the address that words are; None where they are not an address."""
    found = _URL.fullmatch(str(words))
    if found is None:
        return None
    slashes = ":///" if found[1] == "file" else "://"
    return found[1] + slashes + found[2]


def require_name(name: str) -> str:
    """Return a name of an object that every store can hold; raises ValueError."""
    segments = name.split("/")
    wrong = (
        _NEVER.search(name)
        or any(part in ("", ".", "..") for part in segments)
        or segments[0] == TEMPORARY
        or len(name.encode(errors="surrogatepass")) > _LONGEST_NAME
        or any(len(part.encode(errors="surrogatepass")) > _LONGEST_SEGMENT for part in segments)
    )
    if wrong:
        raise ValueError(f"not a name of an object: {name!r}")
    return name


def folder_of(prefix: str) -> str:
    """Return a prefix as the folder it names, with a ``/`` at the end; nothing for all."""
    bare = prefix.strip("/")
    return f"{require_name(bare)}/" if bare else ""


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a store. ``place``: bucket, container or host; ``path``: what follows it."""

    scheme: str
    place: str
    path: str
    user: str | None = None
    port: int | None = None

    @property
    def shown(self) -> str:
        """The address without anything secret, and so that it can be used again."""
        user = f"{quote(self.user)}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        path = quote(self.path) if self.scheme in ("file", "sftp") else self.path
        slash = "/" if path and self.scheme in ("s3", "gs", "az", "memory") else ""
        return f"{self.scheme}://{user}{self.place}{port}{slash}{path}"


def parse_address(url: str, schemes: tuple[str, ...]) -> Address:
    """Return what an address says. Raises UsageError, which never quotes what may be a secret."""
    found = _PARTS.fullmatch(url)
    known = ", ".join(f"{scheme}://" for scheme in schemes)
    if found is None:
        raise UsageError(f"this is not the address of a remote; begin it with one of {known}")
    scheme = found["scheme"].lower()
    if scheme not in schemes:
        meant = nearest_named(scheme, schemes)
        raise UsageError(f"{scheme}:// is not a kind of remote{meant}; there are {known}")
    if "?" in found["path"] or "?" in found["place"]:
        raise UsageError(
            f"the address of the {scheme} remote has a query; leave out what begins with `?`: "
            "credentials come from the environment or profiles"
        )
    if scheme in ("file", "sftp"):
        return _of_folder(scheme, found["place"], unquote(found["path"], errors="surrogateescape"))
    return _of_bucket(scheme, found["place"], found["path"].strip("/"))


def _of_bucket(scheme: str, place: str, prefix: str) -> Address:
    if "@" in place or ":" in place:
        raise UsageError(
            f"the address of the {scheme} remote has credentials or a port in it; leave them out: "
            "credentials come from the environment or profiles, a port from --endpoint"
        )
    if not place:
        raise UsageError(f"the {scheme} remote names no bucket; write {scheme}://bucket/prefix")
    if prefix:
        try:
            require_name(prefix)
        except ValueError as error:
            raise UsageError(
                f"the prefix of {scheme}://{place} has empty parts, dots alone, backslashes or "
                "control characters, or is too long; choose another"
            ) from error
    return Address(scheme, place, prefix)


def _of_folder(scheme: str, place: str, path: str) -> Address:
    if "\0" in path or not path.startswith("/") or path.strip("/") == "":
        raise UsageError(f"the {scheme} remote names no folder; write its whole path")
    path = path.rstrip("/")
    if scheme == "file":
        if place not in ("", "localhost"):
            raise UsageError("a file remote is on this machine; write file:///folder")
        return Address(scheme, "", path)
    found = _HOST.fullmatch(place)
    if found is None:
        raise UsageError(
            "the sftp remote has a password in it, or no host; write sftp://user@host/folder: "
            "keys come from the ssh agent or ~/.ssh"
        )
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port <= _HIGHEST_PORT:
        raise UsageError(f"the sftp remote has port {port}; ports go from 1 to {_HIGHEST_PORT}")
    user = unquote(found["user"]) if found["user"] else None
    return Address(scheme, found["host"], path, user, port)
