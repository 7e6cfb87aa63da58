"""The only reader of the environment."""

import hashlib
import os
import re
from pathlib import Path

import platformdirs

from neotoma_core.encryption import Secret
from neotoma_core.errors import UsageError
from neotoma_core.store.archive import ARCHIVE_FOLDER
from neotoma_core.store.keys import KeyFile, KeySource, Mnemonic, MnemonicFile


def default_vault(target: Path) -> Path:
    """Return the vault of a database: MIDDEN_VAULT, or a folder of its own under the user's data.

    The folder is named after the database and a short hash of its path, so that two databases of
    one name do not share a vault.
    """
    chosen = os.environ.get("MIDDEN_VAULT")
    if chosen:
        return Path(chosen)
    path = str(target.resolve())
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", target.name)
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    return platformdirs.user_data_path("midden") / f"{slug}-{digest}"


def default_archive_of(
    target: Path | None, archive: Path | None, vault: Path | None = None
) -> Path:
    """Return an archive: the one named, or that of the vault, or of the database's vault.

    Raises UsageError where nothing says which.
    """
    if archive is not None:
        return archive
    if target is None and vault is None:
        raise UsageError("name the archive with --archive, or its database with --target")
    return (vault or default_vault(target or Path())) / ARCHIVE_FOLDER


def key_source(key_file: Path | None = None, mnemonic_file: Path | None = None) -> KeySource | None:
    """Return where the key of encrypted columns is: the file named, or what Neotoma itself uses.

    Neotoma's own settings are NEOTOMA_KEY_FILE_PATH, and after it NEOTOMA_MNEMONIC; a mnemonic,
    also one in a file, goes with NEOTOMA_MNEMONIC_PASSPHRASE. None where there is no key. Nothing
    is read but the environment. Raises UsageError where both files are named.
    """
    if key_file and mnemonic_file:
        raise UsageError("--key-file and --mnemonic-file were both given; leave one out")
    passphrase = Secret(os.environ.get("NEOTOMA_MNEMONIC_PASSPHRASE", ""))
    if mnemonic_file:
        return MnemonicFile(mnemonic_file, passphrase)
    path = key_file or os.environ.get("NEOTOMA_KEY_FILE_PATH")
    if path:
        return KeyFile(Path(path))
    words = os.environ.get("NEOTOMA_MNEMONIC")
    return Mnemonic("NEOTOMA_MNEMONIC", Secret(words), passphrase) if words else None
