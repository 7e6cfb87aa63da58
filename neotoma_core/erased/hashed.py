"""Erased ids, known by their salted hashes only.

The hash is keyed BLAKE2b over the kind and the id, with the vault's salt as the key: a hash says
nothing without the salt, and two vaults never have a hash in common.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from neotoma_core.erased.naming import NamedRows, name_rows
from neotoma_core.neotoma.frames import ROWID

SALT_BYTES: Final = 32
_HASH_BYTES: Final = 32
_REMEMBERED: Final = 200_000  # ids of one kind that need not be hashed again


@dataclass(frozen=True, slots=True)
class ErasedIds:
    """What a vault knows to be erased: hashes by kind of id. Empty where nothing ever was.

    ``others``: what further vaults, and ledgers of other machines, know.
    """

    salt: bytes = b""
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    others: tuple["ErasedIds", ...] = ()

    def __bool__(self) -> bool:
        return bool(self.hashes) or any(self.others)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of id with at least one erased."""
        return frozenset(kind for one in self.each() for kind in one.hashes)

    def among(self, kind: str, ids: Iterable[str]) -> list[str]:
        """Return those of ``ids`` (each once) that are erased."""
        left = list(ids)
        found: list[str] = []
        for one in self.each():
            if known := one.hashes.get(kind):
                found += [
                    name for name, digest in hash_ids(one.salt, kind, left) if digest in known
                ]
        return list(dict.fromkeys(found))

    def each(self) -> Iterator["ErasedIds"]:
        """Yield what each vault knows, this one's first."""
        yield self
        for other in self.others:
            yield from other.each()

    def find_in(self, parts: Iterable[NamedRows]) -> dict[str, frozenset[str]]:
        """Return the erased ids that rows name, by kind.

        ``parts``: of tables, taken one at a time. Memory grows with what is found only: of the
        ids that are not erased, a limited number is kept, so as not to be hashed again.
        """
        found: dict[str, set[str]] = {kind: set() for kind in self.kinds}
        others: dict[str, set[str]] = {kind: set() for kind in self.kinds}
        for named in parts:
            for kind in self.kinds:
                columns = [named.rows[name].drop_nulls().unique() for name in named.of_kind(kind)]
                cells = set[str]().union(*(column.to_list() for column in columns))
                fresh = cells - others[kind] - found[kind]
                erased = self.among(kind, fresh)
                found[kind].update(erased)
                if len(others[kind]) + len(fresh) <= _REMEMBERED:
                    others[kind] |= fresh.difference(erased)
        return {kind: frozenset(ids) for kind, ids in found.items() if ids}

    def rows_in(self, table: str, rows: pl.DataFrame) -> pl.Series:
        """Return, row by row, whether the rows of a table name anything erased."""
        named = name_rows(table, rows.drop(ROWID, strict=False).with_row_index(ROWID))
        found = self.find_in([named])
        hits = [
            pl.col(column).is_in(sorted(found[kind])).fill_null(value=False)
            for column, kind in named.naming.items()
            if kind in found
        ]
        return named.rows.select(gone=pl.any_horizontal(pl.lit(value=False), *hits))["gone"]


def hash_ids(salt: bytes, kind: str, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each id with its hash, in hex."""
    keyed = hashlib.blake2b(kind.encode() + b"\0", key=salt, digest_size=_HASH_BYTES)
    for name in ids:
        digest = keyed.copy()
        digest.update(name.encode("utf-8", "surrogatepass"))
        yield name, digest.hexdigest()
