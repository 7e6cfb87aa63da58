"""Adding a remote to a vault: made where there is none, joined where there is one.

probe → read what is there → identity made, kept, and shown → midden.json → remembered in the vault

The identity is on the disk, and somebody said that it is kept, before anything is sealed for it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from neotoma_core.errors import (
    IdentityMissing,
    ObjectMissing,
    RemoteError,
    RemoteForeign,
    UsageError,
)
from neotoma_core.files.atomic import write_file
from neotoma_core.files.private import make_folders
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.remotes.known import KnownRemote, keep_remote, read_remotes
from neotoma_core.remotes.models import DESCRIPTION, RemoteDescription, description_bytes
from neotoma_core.remotes.remote import read_description
from neotoma_core.remotes.sealing import (
    is_recipient,
    new_key,
    open_key,
    public_key,
    seal_key,
)
from neotoma_core.stores.opening import probe
from neotoma_core.stores.store import Store
from neotoma_core.vault.folder import open_vault

_ID_BYTES: Final = 16
_NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


@dataclass(frozen=True, slots=True)
class AddRequest:
    """What the user asked for.

    ``plain``: nothing is sealed. ``recipients``: age's public keys, of somebody who has the
    identities; without any, an identity is made and written to ``identity_file``. ``identities``:
    those at hand, which open the key of a remote that is there already.
    """

    name: str
    url: str
    target: Path
    vault: Path
    identity_file: Path
    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None
    plain: bool = False
    recipients: tuple[str, ...] = ()
    identities: tuple[Secret, ...] = ()


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """An identity that was made: without it, nothing that is pushed can be read again."""

    secret: Secret
    recipient: str
    file: Path


@dataclass(frozen=True, slots=True)
class Added:
    """A remote that was added: ``made`` there, or ``joined``; ``identity``: if one was made."""

    remote: KnownRemote
    outcome: Literal["made", "joined", "declined"]
    identity: NewIdentity | None = None


def require_addable(request: AddRequest) -> None:
    """Raise UsageError where a remote cannot be added as it was asked for; nothing is contacted."""
    if not request.name or not set(request.name) <= _NAME or request.name.startswith("."):
        raise UsageError(
            f"{request.name}: not a name for a remote; use letters, digits, -, _ and dots"
        )
    for known in read_remotes(request.vault):
        if known.name == request.name:
            raise UsageError(
                f"{request.name}: a remote has that name already: {known.url}; choose another name"
            )
        if known.url == request.url and known.endpoint == request.endpoint:
            raise UsageError(f"{request.url}: already added, as {known.name}")
    if request.plain and request.recipients:
        raise UsageError("--plain and --recipient were both given; leave one out")
    for text in request.recipients:
        if not is_recipient(text):
            raise UsageError(
                "--recipient: not a public key; give one of age (age1…) or of ssh (ssh-ed25519 …)"
            )


def add_remote(request: AddRequest, store: Store, prove: Callable[[NewIdentity], bool]) -> Added:
    """Add a remote; ``prove`` is shown a new identity and says whether it is kept.

    Raises UsageError, RemoteError, RemoteForeign, IdentityMissing, IdentityWrong, VaultError, and
    what a store raises.
    """
    require_addable(request)
    probe(store)
    described = _there(store)
    if described is not None:
        return _join(request, store, described)
    _require_empty(store)
    identity = None
    recipients = request.recipients
    if not request.plain and not recipients:
        identity = _new_identity(request.identity_file)
        recipients = (identity.recipient,)
    key = None if request.plain else new_key()
    made = RemoteDescription(
        os.urandom(_ID_BYTES).hex(), recipients, seal_key(key, recipients) if key else None
    )
    known = _describe_remote(request, made, key)
    if identity is not None and not prove(identity):
        identity.file.unlink(missing_ok=True)
        return Added(known, "declined", identity)
    open_vault(request.vault, request.target)
    if not store.create(DESCRIPTION, description_bytes(made)):
        raise RemoteError(
            store.url, "another machine added it at the same time", "run again to join it"
        )
    keep_remote(request.vault, known)
    return Added(known, "made", identity)


def _join(request: AddRequest, store: Store, described: RemoteDescription) -> Added:
    for known in read_remotes(request.vault):
        if known.id == described.id:  # by another spelling of its address
            raise UsageError(f"{request.url}: already added, as {known.name}: {known.url}")
    if request.recipients and set(request.recipients) != set(described.recipients):
        raise UsageError(
            f"{store.url}: it is a remote already, sealed for other recipients; "
            "leave --recipient out to join it"
        )
    if request.plain and described.recipients:
        raise UsageError(f"{store.url}: it is an encrypted remote; leave --plain out to join it")
    key = None
    if described.key is not None:
        if not request.identities:
            raise IdentityMissing(store.url)
        key = open_key(store.url, described.key, request.identities)
    open_vault(request.vault, request.target)
    known = _describe_remote(request, described, key)
    keep_remote(request.vault, known)
    return Added(known, "joined")


def _there(store: Store) -> RemoteDescription | None:
    """Return what the remote says that is there; None where there is none."""
    try:
        return read_description(store)
    except RemoteError as error:
        if isinstance(error.__cause__, ObjectMissing):
            return None
        raise


def _require_empty(store: Store) -> None:
    for stored in store.list():
        raise RemoteForeign(
            store.url,
            f"it holds something that is not midden's, {stored.name} for one",
            "choose an empty folder or another prefix",
        )


def _new_identity(file: Path) -> NewIdentity:
    """Make an identity and write it to a file of its own, which age reads, too."""
    if file.exists():
        raise UsageError(
            f"{file}: there is a file already; name another with --identity-file, or join with the "
            "recipient of the one that is in it: --recipient"
        )
    secret = new_key()
    recipient = public_key(secret)
    make_folders(file.absolute().parent)
    write_file(file, f"# public key: {recipient}\n{secret.reveal()}\n".encode())
    return NewIdentity(secret, recipient, file)


def _describe_remote(
    request: AddRequest, made: RemoteDescription, key: Secret | None
) -> KnownRemote:
    known = KnownRemote(
        request.name, request.url, made.id, request.endpoint, request.region, request.profile
    )
    return replace(known, recipients=made.recipients, key=key.reveal() if key else None)
