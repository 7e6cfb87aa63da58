"""Erased ids are found by their hashes, in rows that come part by part."""

from collections.abc import Iterable, Iterator

import polars as pl
import pytest

from neotoma_core.erased import hashed
from neotoma_core.erased.hashed import SALT_BYTES, ErasedIds, hash_ids
from neotoma_core.erased.naming import NamedRows, name_rows
from neotoma_core.neotoma.frames import ROWID

SALT = b"s" * SALT_BYTES
KNOWN = ErasedIds(SALT, {"entities": frozenset(h for _, h in hash_ids(SALT, "entities", "bd"))})


def parts(*texts: str) -> Iterator[NamedRows]:
    for text in texts:
        rows = pl.DataFrame({"id": list("1234"), "entity_id": [*text, None]})
        yield name_rows("observations", rows.with_row_index(ROWID))


@pytest.mark.parametrize(("remembered", "hashes"), [(0, 8), (1, 7), (100, 5)])
def test_ids_are_found_in_whatever_part_and_hashed_again_only_if_they_are_many(
    remembered: int, hashes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def count(salt: bytes, kind: str, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
        asked.extend(ids)
        return hash_ids(salt, kind, asked[-len(list(ids)) :])

    monkeypatch.setattr(hashed, "_REMEMBERED", remembered)
    monkeypatch.setattr(hashed, "hash_ids", count)
    found = KNOWN.find_in(parts("aba", "bcc", "cad", "eda"))
    assert found == {"entities": {"b", "d"}}
    assert len(asked) == hashes
    assert KNOWN.find_in(parts("ace")) == {}
