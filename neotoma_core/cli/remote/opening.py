"""Opening the remote that a command names: one of the vault's, or an address."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.errors import UsageError
from neotoma_core.stores.names import url_of

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption import Secret
    from neotoma_core.remotes.known import KnownRemote
    from neotoma_core.remotes.remote import Remote
    from neotoma_core.stores.store import Store

REMOTE_OPTION: Final = typer.Option(
    help="The remote, by the name it was added with [default: the only one].", show_default=False
)
IDENTITY_OPTION: Final = typer.Option(
    help="The file with the identity, the secret key of the remote "
    "[default: MIDDEN_IDENTITY_FILE, or where `midden remote add` wrote it].",
    show_default=False,
)
ENDPOINT_OPTION: Final = typer.Option(
    help="The address of the store, if not the vendor's own, e.g. https://s3.example.org.",
    show_default=False,
)
REGION_OPTION: Final = typer.Option(help="The region of the bucket.", show_default=False)
PROFILE_OPTION: Final = typer.Option(
    help="The profile of the AWS settings to use.", show_default=False
)
BWLIMIT_OPTION: Final = typer.Option(
    help="Transfer at most this much per second, e.g. 500k or 2M bytes.", show_default=False
)
WRITER_OPTION: Final = typer.Option(
    help="The log of this machine, by the beginning of its name in `midden remote show`.",
    show_default=False,
)

RemoteName = Annotated[str | None, REMOTE_OPTION]
IdentityFile = Annotated[Path | None, IDENTITY_OPTION]
Limit = Annotated[str | None, BWLIMIT_OPTION]


@dataclass(frozen=True, slots=True)
class Opening:
    """How a remote is opened. ``limit``: bytes a second; None for as fast as it goes."""

    identity_file: Path | None = None
    limit: int | None = None
    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None


def required_url(words: str) -> str:
    """Return the address that words are; raises UsageError where they are not an address."""
    url = url_of(words)
    if url is None:
        raise UsageError(
            f"{words}: not the address of a remote; write s3://bucket/prefix, gs://…, az://…, "
            "file:///folder or sftp://user@host/path"
        )
    return url


@contextmanager
def open_remote_of(words: str | None, vault: Path, opening: Opening) -> Iterator["Remote"]:
    """Open a remote of a vault by its name, or any by its address; None is the only one there is.

    Raises UsageError, RemoteError and its kinds, IdentityMissing, IdentityWrong.
    """
    from neotoma_core.remotes.known import find_remote, read_remotes
    from neotoma_core.remotes.remote import open_known, open_unknown

    url = url_of(words) if words else None
    there = [one for one in read_remotes(vault) if one.url == url]
    if url is not None and not there:
        with open_store_at(url, opening) as store:
            yield open_unknown(vault, store, identities(opening.identity_file))
        return
    known = there[0] if there else find_remote(vault, words)
    with open_store_at(known.url, opening, known) as store:
        yield open_known(vault, known, store, identities(opening.identity_file, known.name))


@contextmanager
def open_store_at(
    url: str, opening: Opening, known: "KnownRemote | None" = None
) -> Iterator["Store"]:
    """Open the store at an address, and close it when the block ends."""
    from neotoma_core.settings.environment import store_options
    from neotoma_core.stores.opening import open_store
    from neotoma_core.stores.wrapped import limit

    options = store_options(
        opening.endpoint or (known.endpoint if known else None),
        opening.region or (known.region if known else None),
        opening.profile or (known.profile if known else None),
    )
    store = open_store(url, options)
    try:
        yield limit(store, opening.limit)
    finally:
        store.close()


def identities(file: Path | None, name: str | None = None) -> tuple["Secret", ...]:
    """Return the identities in a file, by default that of a remote; see ``read_identities``."""
    from neotoma_core.remotes.opening import read_identities

    return read_identities(file, name)


def bytes_a_second(text: str | None) -> int | None:
    """Return a limit as the user wrote it; raises UsageError."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)([kKmMgG]?)", text.strip())
    number = int(found[1]) if found else 0
    if found is None or not number:
        raise UsageError(f"--bwlimit {text}: not a speed; write bytes a second, like 500k or 2M")
    return number << {"": 0, "k": 10, "m": 20, "g": 30}[found[2].lower()]
