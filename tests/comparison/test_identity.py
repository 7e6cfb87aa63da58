"""Which database a copy is of is said by its contents, not by where it is."""

from neotoma_core.comparison.identity import SAMPLE, Sample, hash_id, is_same_database, share_kept

KNOWN = tuple(f"k{n:04}" for n in range(SAMPLE))
HASHES = tuple(map(hash_id, KNOWN))


def same(*ids: str, rows: int = 6_000, same_place: bool = False) -> bool:
    return is_same_database(HASHES, 6_000, Sample(ids, rows), same_place=same_place)


def test_one_shared_observation_is_enough_wherever_it_is() -> None:
    assert same("a", KNOWN[7])


def test_another_database_is_another_one_also_in_the_same_place() -> None:
    assert not same("a", "b")
    assert not same("a", "b", same_place=True)


def test_what_a_wipe_left_is_the_same_database_in_the_same_place_only() -> None:
    assert same("a", rows=1, same_place=True)
    assert same(rows=0, same_place=True)
    assert not same("a", rows=1)


def test_a_vault_that_knows_nothing_takes_any() -> None:
    assert is_same_database((), 0, Sample(("a",), 1), same_place=False)


def test_the_share_kept_leaves_out_what_the_sample_does_not_reach() -> None:
    assert share_kept(KNOWN, KNOWN) == 1.0
    assert share_kept(KNOWN, KNOWN[:128]) == 0.5  # a short sample is all there is
    reached = (*(f"a{n:04}" for n in range(SAMPLE - 100)), *KNOWN[:100])
    assert share_kept(KNOWN, reached) == 1.0
    assert share_kept(KNOWN, (*(f"a{n:04}" for n in range(SAMPLE)),)) is None
    assert share_kept((), KNOWN) is None
