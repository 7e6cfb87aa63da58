"""Erased ids, known by their salted hashes only.

The hash is keyed BLAKE2b over the kind and the id, with the vault's salt as the key: a hash says
nothing without the salt, and two vaults never have a hash in common.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from neotoma_core.erasure.naming import NamedRows

SALT_BYTES: Final = 32
_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ErasedIds:
    """What a vault knows to be erased: hashes by kind of id. Empty where nothing ever was."""

    salt: bytes = b""
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def among(self, kind: str, ids: Iterable[str]) -> list[str]:
        """Return those of ``ids`` (each once) that are erased."""
        known = self.hashes.get(kind)
        if not known:
            return []
        return [name for name, digest in hashed(self.salt, kind, ids) if digest in known]

    def found_in(self, tables: Mapping[str, NamedRows]) -> dict[str, frozenset[str]]:
        """Return the erased ids that rows name, by kind. Each distinct id is hashed once."""
        found: dict[str, frozenset[str]] = {}
        for kind in self.hashes:
            cells = [
                named.rows[column].unique()
                for named in tables.values()
                for column in named.of_kind(kind)
            ]
            if not cells:
                continue
            if erased := self.among(kind, pl.concat(cells).drop_nulls().unique()):
                found[kind] = frozenset(erased)
        return found


def hashed(salt: bytes, kind: str, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each id with its hash, in hex."""
    keyed = hashlib.blake2b(kind.encode() + b"\0", key=salt, digest_size=_HASH_BYTES)
    for name in ids:
        digest = keyed.copy()
        digest.update(name.encode("utf-8", "surrogatepass"))
        yield name, digest.hexdigest()
