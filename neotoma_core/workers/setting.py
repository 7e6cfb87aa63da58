"""By what all files of a search are read, as plain data for the processes that read them.

A secret is in it. It goes through a private pipe, into a process of this program that
lives no longer than its search.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.files.keys import KeyFile, KeySource, Mnemonic, MnemonicFile
from neotoma_core.neotoma.encryption import Secret


@dataclass(frozen=True, slots=True)
class Setting:
    """What counts for nothing, and the key of what is sealed."""

    erased: ErasedIds = field(default_factory=ErasedIds)
    key: KeySource | None = None


def setting_to_plain(setting: Setting) -> dict[str, object]:
    """Return a setting as plain data."""
    return {"erased": _plain_erased(setting.erased), "key": _plain_key(setting.key)}


def setting_from_plain(plain: Mapping[str, Any]) -> Setting:
    """Return the setting that became such plain data."""
    return Setting(_read_erased(plain["erased"]), _key(plain["key"]))


def _plain_erased(erased: ErasedIds) -> dict[str, object]:
    return {
        "salt": erased.salt.hex(),
        "hashes": {kind: sorted(known) for kind, known in erased.hashes.items()},
        "others": [_plain_erased(one) for one in erased.others],
    }


def _read_erased(plain: Mapping[str, Any]) -> ErasedIds:
    return ErasedIds(
        bytes.fromhex(plain["salt"]),
        {kind: frozenset(known) for kind, known in plain["hashes"].items()},
        tuple(_read_erased(one) for one in plain["others"]),
    )


def _plain_key(key: KeySource | None) -> dict[str, str] | None:
    match key:
        case None:
            return None
        case KeyFile(path):
            return {"file": str(path)}
        case MnemonicFile(path, passphrase):
            return {"words_file": str(path), "passphrase": passphrase.reveal()}
        case Mnemonic(place, words, passphrase):
            shown = {"place": place, "words": words.reveal()}
            return {**shown, "passphrase": passphrase.reveal()}


def _key(plain: Mapping[str, str] | None) -> KeySource | None:
    if plain is None:
        return None
    if "file" in plain:
        return KeyFile(Path(plain["file"]))
    passphrase = Secret(plain["passphrase"])
    if "words_file" in plain:
        return MnemonicFile(Path(plain["words_file"]), passphrase)
    return Mnemonic(plain["place"], Secret(plain["words"]), passphrase)
