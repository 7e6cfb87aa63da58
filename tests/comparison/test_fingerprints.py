"""A fingerprint says which rows a table holds, in any order, each as often."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.comparison.fingerprints import Fingerprint, FingerprintSum

rows = st.lists(st.binary(max_size=8), max_size=20)


def fingerprint(*parts: list[bytes]) -> Fingerprint:
    found = FingerprintSum()
    for part in parts:
        found.add(part)
    return found.finish()


@given(rows, rows)
def test_order_and_batches_make_no_difference(first: list[bytes], second: list[bytes]) -> None:
    assert fingerprint(first, second) == fingerprint([*second, *first])


@given(rows, st.binary(max_size=8))
def test_one_row_more_makes_one(some: list[bytes], row: bytes) -> None:
    assert fingerprint(some) != fingerprint([*some, row])


def test_a_row_twice_is_not_another_row_twice() -> None:
    assert fingerprint([b"a", b"a"]) != fingerprint([b"b", b"b"])
    assert fingerprint([]).sum == "0" * 32


def test_it_is_the_count_of_rows_and_the_sum_of_their_hashes() -> None:
    """Backups keep it for years: what it is must not change."""
    rows = [bytes([number]) for number in range(12)]
    hashes = (hashlib.blake2b(row, digest_size=16).hexdigest() for row in rows)
    total = sum(int(found, 16) for found in hashes)
    assert total >> 128 & 1  # so that it is cut
    assert fingerprint(rows) == Fingerprint(12, f"{total:x}"[-32:])
