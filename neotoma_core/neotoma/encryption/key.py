"""Neotoma's data key, and how it comes from what its user keeps: a key file or a mnemonic.

data key = HKDF-SHA256(secret, salt of 32 zero bytes, "neotoma-data-v1"); the secret is what the
key file spells in hex, or the seed of the mnemonic. Upstream: key_derivation.ts, deriveKeys and
mnemonicToSeed; column_encryption.ts, encryptColumn.
"""

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES: Final = 32
_IV_BYTES: Final = 16
_TAG_BYTES: Final = 16
_INFO: Final = b"neotoma-data-v1"
_SALT: Final = "mnemonic"
_ROUNDS: Final = 2048
_SEED_BYTES: Final = 64


class SealBroken(ValueError):
    """A sealed value that this key does not open; the message holds nothing of it."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """Opens and seals values with AES-256-GCM.

    The key's bytes are inside the cipher only, which neither prints nor can be copied or pickled.
    """

    _cipher: AESGCM = field(repr=False, compare=False)

    def open(self, sealed: str) -> str:
        """Return the text of a sealed value; raises SealBroken where it is not this key's."""
        try:
            iv, tag, ciphertext = map(bytes.fromhex, sealed.split(":"))
            text = self._cipher.decrypt(iv, ciphertext + tag, None)
        except (InvalidTag, ValueError):
            text = None
        if text is None:  # raised out here, so that no other exception comes along
            raise SealBroken("sealed with another key, or damaged")
        return text.decode("utf-8", "replace")

    def seal(self, text: str) -> str:
        """Return ``text`` sealed, each time under a new IV: ``iv:tag:ciphertext`` in hex."""
        iv = secrets.token_bytes(_IV_BYTES)
        sealed = self._cipher.encrypt(iv, text.encode(), None)
        ciphertext, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
        return f"{iv.hex()}:{tag.hex()}:{ciphertext.hex()}"


def derive_data_key(secret: bytes) -> DataKey:
    """Return the data key of a secret: what a key file spells, or the seed of a mnemonic."""
    derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_INFO)
    return DataKey(AESGCM(derivation.derive(secret)))


def seed_of(mnemonic: str, passphrase: str) -> bytes:
    """Return the seed of a mnemonic: as BIP-39 has it, but by SHA-256."""
    words = unicodedata.normalize("NFKD", mnemonic).strip()
    salt = _SALT + unicodedata.normalize("NFKD", passphrase)
    return hashlib.pbkdf2_hmac("sha256", words.encode(), salt.encode(), _ROUNDS, _SEED_BYTES)
