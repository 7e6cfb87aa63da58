"""How the objects of a remote are sealed and named.

Contents are sealed with age to the recipients of the remote: whoever only writes cannot read them
again. Entries of a log say what there is of each content, never what is in it, and are sealed to
the recipients and to the key of the log, which every machine has that writes to the remote: so it
finds out what is missing there. The names of contents are keyed hashes, by that key, too: the store
learns sizes and times. An entry begins with a keyed hash of the rest, since age does not say who
sealed something.

A plain remote has neither recipients nor a key: its contents are as they are, called after their
SHA-256.
"""

import hashlib
import hmac
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from neotoma_core.errors import IdentityMissing, IdentityWrong, RemoteDamaged, UsageError
from neotoma_core.files.exact_paths import open_to_write
from neotoma_core.neotoma.encryption import Secret

Purpose = Literal["names", "entries"]

_NO_KEY: Final = "No matching keys found"


@dataclass(frozen=True, slots=True)
class Sealing:
    """By which keys the objects of one remote are sealed and opened.

    ``where``: what messages call the remote. ``recipients``: age's public keys, none for a plain
    remote. ``key``: the key of the log. ``identities``: age's secret keys, none on a machine that
    only writes.
    """

    where: str
    recipients: tuple[str, ...] = ()
    key: Secret | None = None
    identities: tuple[Secret, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether nothing is sealed."""
        return self.key is None

    @property
    def opens_contents(self) -> bool:
        """Whether contents can be read."""
        return self.is_plain or bool(self.identities)

    def name_of(self, digest: str) -> str:
        """Return the name of the content with a SHA-256, both in hex."""
        return digest if self.is_plain else self._key_hash("names", digest.encode())

    def seal_file(self, plain: Path, sealed: Path) -> None:
        """Seal a content for the recipients; of a plain remote, ``sealed`` is a link to it."""
        if self.is_plain:
            sealed.symlink_to(plain.absolute())
            return
        with plain.open("rb") as content, open_to_write(sealed) as file:
            pyrage().encrypt_io(content, file, _recipients(self.recipients))

    def open_file(self, sealed: Path, plain: Path) -> None:
        """Open a content; raises IdentityMissing, IdentityWrong, RemoteDamaged."""
        if self.is_plain:
            plain.symlink_to(sealed.absolute())
            return
        identities = self._identities()
        with sealed.open("rb") as content, open_to_write(plain) as file:
            self._open(
                sealed.name, lambda: pyrage().decrypt_io(content, file, _identities(identities))
            )

    def seal_entry(self, body: bytes) -> bytes:
        """Return an entry of a log as it is stored."""
        line = self._check_of(body).encode() + b"\n" + body
        if self.key is None:
            return line
        own = pyrage().x25519.Identity.from_str(self.key.reveal()).to_public()
        sealed: bytes = pyrage().encrypt(line, [*_recipients(self.recipients), own])
        return sealed

    def open_entry(self, name: str, stored: bytes) -> bytes:
        """Return what was sealed as an entry; raises RemoteDamaged where it is another's."""
        line = stored
        if self.key is not None:
            keys = _identities((self.key,))
            try:
                line = self._open(name, lambda: pyrage().decrypt(stored, keys))
            except IdentityWrong:  # all entries are sealed to this key
                line = b""
        check, _, body = line.partition(b"\n")
        if not hmac.compare_digest(check, self._check_of(body).encode()):
            raise _damage_of(self.where, name)
        return body

    def _check_of(self, body: bytes) -> str:
        return (
            hashlib.sha256(body).hexdigest() if self.is_plain else self._key_hash("entries", body)
        )

    def _key_hash(self, purpose: Purpose, content: bytes) -> str:
        assert self.key is not None  # noqa: S101 - asked of sealed remotes only
        secret = hashlib.sha256(f"midden {purpose} {self.key.reveal()}".encode()).digest()
        return hmac.new(secret, content, hashlib.sha256).hexdigest()

    def _identities(self) -> tuple[Secret, ...]:
        if not self.identities:
            raise IdentityMissing(self.where)
        return self.identities

    def _open(self, name: str, opening: Callable[[], Any]) -> Any:  # noqa: ANN401 - age's own
        """Do the opening; what age raises may quote a key, so an error of our own is raised."""
        try:
            return opening()
        except pyrage().DecryptError as error:
            wrong_key = _NO_KEY in str(error)
        except OSError as error:  # what age finds in the middle of a content has no number
            if error.errno is not None:
                raise
            wrong_key = False
        raise IdentityWrong(self.where) if wrong_key else _damage_of(self.where, name)


def new_key() -> Secret:
    """Return a new secret key of age."""
    return Secret(str(pyrage().x25519.Identity.generate()))


def public_key(secret: Secret) -> str:
    """Return the public key, a recipient, that belongs to a secret key of age or of ssh."""
    return str(_identities((secret,))[0].to_public())


def seal_key(key: Secret, recipients: tuple[str, ...]) -> str:
    """Return the key of a log, sealed for the recipients of its remote, in hex."""
    sealed: bytes = pyrage().encrypt(key.reveal().encode(), _recipients(recipients))
    return sealed.hex()


def open_key(where: str, sealed: str, identities: tuple[Secret, ...]) -> Secret:
    """Return the key of a log; raises IdentityMissing, IdentityWrong."""
    if not identities:
        raise IdentityMissing(where)
    try:
        plain: bytes | None = pyrage().decrypt(bytes.fromhex(sealed), _identities(identities))
    except pyrage().DecryptError:  # raised again outside: it may quote a key
        plain = None
    if plain is None:
        raise IdentityWrong(where)
    return Secret(plain.decode())


def is_recipient(text: str) -> bool:
    """Return whether a text is a public key that age can seal for."""
    try:
        _recipients((text,))
    except (pyrage().RecipientError, ValueError):
        return False
    return True


def is_identity(text: str) -> bool:
    """Return whether a text is a secret key that age can open with."""
    try:
        _identities((Secret(text),))
    except (pyrage().IdentityError, ValueError):
        return False
    return True


def pyrage() -> Any:  # noqa: ANN401 - a module without types
    """Return the library of age; raises UsageError where it is not installed."""
    try:
        return importlib.import_module("pyrage")
    except ImportError as error:
        raise UsageError(
            "encryption for remotes is not installed; install it with `pip install "
            "'midden[remotes]'`"
        ) from error


def _recipients(texts: tuple[str, ...]) -> list[Any]:
    kinds = pyrage()
    return [
        kinds.ssh.Recipient.from_str(text)
        if text.startswith("ssh-")
        else kinds.x25519.Recipient.from_str(text)
        for text in texts
    ]


def _identities(secrets: tuple[Secret, ...]) -> list[Any]:
    kinds = pyrage()
    texts = [secret.reveal() for secret in secrets]
    return [
        kinds.ssh.Identity.from_buffer(text.encode())
        if text.startswith("-----BEGIN")
        else kinds.x25519.Identity.from_str(text)
        for text in texts
    ]


def _damage_of(where: str, name: str) -> RemoteDamaged:
    return RemoteDamaged(
        where, f"object {name} is not what was written", "to look at all of them: midden verify"
    )
