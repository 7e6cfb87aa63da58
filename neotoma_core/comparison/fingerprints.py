"""Fingerprints of tables: what rows they hold, in whatever order. Pure.

A row is hashed by its cells with their storage classes; a table's fingerprint is the sum of its
rows' hashes modulo 2^128, and how many they are. So it can be computed in one pass, row by row, and
two tables with one fingerprint hold the same rows, each as often.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_BYTES: Final = 16
_MODULUS: Final = 1 << 8 * _BYTES


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``rows`` of a table and the sum of their hashes, in hex."""

    rows: int
    sum: str


@dataclass(slots=True)
class FingerprintSum:
    """A fingerprint under way."""

    rows: int = 0
    total: int = 0

    def add(self, spelled: Iterable[bytes]) -> None:
        """Add rows, each spelled so that no two different rows are spelled alike."""
        digest, number = hashlib.blake2b, int.from_bytes
        hashes = [number(digest(row, digest_size=_BYTES).digest(), "big") for row in spelled]
        self.rows += len(hashes)
        self.total = (self.total + sum(hashes)) % _MODULUS

    def finish(self) -> Fingerprint:
        """Return the fingerprint of the rows added so far."""
        return Fingerprint(self.rows, f"{self.total:0{2 * _BYTES}x}")
