"""Opening the remotes of a vault where nobody is asked.

Credentials come from the environment, and so does the identity: the file MIDDEN_IDENTITY_FILE.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.remotes.known import KnownRemote
from neotoma_core.remotes.remote import Remote, open_known
from neotoma_core.remotes.sealing import is_identity
from neotoma_core.settings.environment import identity_file, store_options
from neotoma_core.stores.opening import open_store

_IDENTITY: Final = re.compile(r"AGE-SECRET-KEY-[0-9A-Z]+")


@contextmanager
def open_known_remote(
    vault: Path, known: KnownRemote, identities: tuple[Secret, ...] = ()
) -> Iterator[Remote]:
    """Open a remote that a vault knows, and close it when the block ends.

    A push needs no identity. Raises UsageError, RemoteError and its kinds.
    """
    options = store_options(known.endpoint, known.region, known.profile)
    store = open_store(known.url, options)
    try:
        yield open_known(vault, known, store, identities)
    finally:
        store.close()


def read_identities(file: Path | None, name: str | None = None) -> tuple[Secret, ...]:
    """Return the identities in a file, by default that of a remote; none where there is none.

    Raises UsageError where the file named cannot be read, or holds none.
    """
    place = file or identity_file(name)
    if place is None:
        return ()
    try:
        text = read_small(place).decode("utf-8", "replace")
    except OSError as error:
        wrong = f"--identity-file {place}: {reason_of(error)}"
        raise UsageError(f"{wrong}; check the spelling") from error
    found = _IDENTITY.findall(text) or [text]
    if not all(map(is_identity, found)):
        raise UsageError(
            f"--identity-file {place}: no identity of age or ssh is in it; "
            "give the file that `midden remote add` made"
        )
    return tuple(map(Secret, found))
