"""Reading keys from where their owner keeps them.

Invariant: what is read here goes into a data key and nowhere else; messages name the place only.
"""

import errno
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.encryption import Secret

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey

_MOST_BYTES: Final = 1 << 16
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){16,}")
_WORDS: Final = (12, 24)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file that spells the secret in hex, as NEOTOMA_KEY_FILE_PATH names one."""

    path: Path


@dataclass(frozen=True, slots=True)
class MnemonicFile:
    """A file with the words of a mnemonic, in one line or many."""

    path: Path
    passphrase: Secret


@dataclass(frozen=True, slots=True)
class Mnemonic:
    """The words of a mnemonic themselves; ``place`` is what messages call them."""

    place: str
    words: Secret
    passphrase: Secret


KeySource = KeyFile | MnemonicFile | Mnemonic


def read_key(source: KeySource) -> "DataKey":
    """Return the data key that ``source`` leads to; raises UsageError where there is none."""
    # The library takes longer to load than a small run.
    from neotoma_core.neotoma.encryption.key import derive_data_key  # noqa: PLC0415 - only with a key

    return derive_data_key(_secret_of(source))


def require_key(source: KeySource) -> None:
    """Raise UsageError where a file that is named for the key holds none."""
    match source:
        case MnemonicFile(path):
            _require_words(path, _words_of(path))
        case KeyFile():
            _secret_of(source)


def _words_of(path: Path) -> str:
    lines = (line.strip() for line in _text_of(path).splitlines())
    return " ".join(line for line in lines if line)


def _secret_of(source: KeySource) -> bytes:
    match source:
        case KeyFile(path):
            text = _text_of(path).strip()
            if not _HEX.fullmatch(text):
                raise _no_key(path, "not a key in hex of 16 bytes or more")
            return bytes.fromhex(text)
        case MnemonicFile(path, passphrase):
            return _seed(path, _words_of(path), passphrase)
        case Mnemonic(place, secret, passphrase):
            return _seed(place, secret.reveal(), passphrase)


def _require_words(place: Path | str, words: str) -> None:
    if len(words.split()) not in _WORDS:
        raise _no_key(place, "not a mnemonic of 12 or 24 words")


def _seed(place: Path | str, words: str, passphrase: Secret) -> bytes:
    from neotoma_core.neotoma.encryption.key import seed_of  # noqa: PLC0415 - see read_key

    _require_words(place, words)
    return seed_of(words, passphrase.reveal())


def _text_of(path: Path) -> str:
    """Return the text of a small file, without the mark some editors put at its start."""
    content = None
    try:
        content = read_small(path, _MOST_BYTES)
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise _no_key(path, f"cannot be read: {reason_of(error)}") from error
    text = _decode(content) if content is not None else None
    if text is None:
        raise _no_key(path, "too long for a key, or not text")
    return text


def _decode(content: bytes) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _no_key(place: Path | str, wrong: str) -> UsageError:
    return UsageError(
        f"key {place}: {wrong}; nothing was changed; "
        "name the key file with --key-file, or the file of the mnemonic with --mnemonic-file"
    )
