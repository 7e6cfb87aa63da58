"""The remotes that a vault knows: ``remotes.json``.

Where each is, for whom it is sealed, and the key of its logs: what a machine needs to push. Neither
credentials nor the identity that opens contents are ever in it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.documents.document import document, document_of
from neotoma_core.documents.models import (
    FileName,
    HexDigits,
    NotAsModelled,
    PathText,
    Word,
    is_newer,
    read_model,
)
from neotoma_core.errors import UsageError, VaultDamaged, VaultError
from neotoma_core.files.atomic import write_file
from neotoma_core.files.private import make_folders
from neotoma_core.files.small import read_small
from neotoma_core.remotes.sealing import is_identity

REMOTES: Final = "remotes.json"
CACHE: Final = "remotes"
_FORMAT: Final = 1
_ADVICE: Final = "restore it from a copy of the vault, or remove it and add the remotes again"


@dataclass(frozen=True, slots=True)
class KnownRemote:
    """One remote. ``id``: of the remote itself, which its ``midden.json`` says, too.

    ``endpoint``, ``region``, ``profile``: of a bucket, where the usual ones do not hold.
    """

    name: FileName
    url: PathText
    id: HexDigits
    endpoint: PathText | None = None
    region: Word | None = None
    profile: Word | None = None
    recipients: tuple[str, ...] = ()
    key: str | None = None


@dataclass(frozen=True, slots=True)
class _Remotes:
    remotes: tuple[KnownRemote, ...]
    format: int = _FORMAT


def read_remotes(vault: Path) -> tuple[KnownRemote, ...]:
    """Return the remotes of a vault, by name; raises VaultDamaged, VaultError."""
    path = vault / REMOTES
    try:
        value = document_of(read_small(path))
    except FileNotFoundError:
        return ()
    except ValueError:
        value = None
    if isinstance(value, dict) and is_newer(value.get("format"), _FORMAT):
        raise VaultError(vault, "made by a newer midden", "update midden")
    try:
        found = read_model(_Remotes, value)
    except NotAsModelled as error:
        raise VaultDamaged(path, f"not a list of remotes: {error}", _ADVICE) from None
    for remote in found.remotes:
        if remote.key is not None and not is_identity(remote.key):
            wrong = f"not a list of remotes: the key of {remote.name} is not a key"
            raise VaultDamaged(path, wrong, _ADVICE)
    return tuple(sorted(found.remotes, key=lambda remote: remote.name))


def find_remote(vault: Path, name: str | None) -> KnownRemote:
    """Return the remote of that name, or the only one; raises UsageError where there is none."""
    there = read_remotes(vault)
    found = [remote for remote in there if name in (None, remote.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(remote.name for remote in there)
    if not there:
        raise UsageError("no remote is known; add one with `midden remote add NAME URL`")
    if name is None:
        raise UsageError(f"there are several remotes; say which with --remote: {names}")
    raise UsageError(f"{name}: no remote has that name; there are: {names}")


def keep_remote(vault: Path, remote: KnownRemote) -> None:
    """Add a remote to those of a vault, in place of one with the same name."""
    others = [one for one in read_remotes(vault) if one.name != remote.name]
    _write(vault, (*others, remote))


def forget_remote(vault: Path, name: str) -> KnownRemote:
    """Take a remote from those of a vault; what is there stays. Raises UsageError."""
    remote = find_remote(vault, name)
    _write(vault, tuple(one for one in read_remotes(vault) if one.name != name))
    return remote


def cache_of(vault: Path, identifier: str) -> Path:
    """Return the folder in which a vault keeps entries that it read of a remote."""
    return vault / CACHE / identifier


def _write(vault: Path, remotes: tuple[KnownRemote, ...]) -> None:
    make_folders(vault)
    write_file(vault / REMOTES, document(_Remotes(remotes)) + b"\n")
