from neotoma_core.coverage.copies import Copy
from neotoma_core.coverage.drop import Drop, find_drop
from neotoma_core.coverage.held import Held


def drop(now: int, copy: int, lacking: int) -> Drop:
    copies = {0: Copy(0, "live", now, None), 1: Copy(1, "copy", copy, None)}
    held = [Held(frozenset({1}), lacking)] if lacking else []
    return find_drop(copies[0], (0, 1), copies, held)


def test_fewer_than_half_of_what_a_copy_has_looks_wiped() -> None:
    assert drop(84, 6174, 6112) == Drop("wiped", 84, 6112, 1)


def test_a_few_missing_observations_are_named_and_none_is_well() -> None:
    assert drop(90, 100, 12).verdict == "lacking"
    assert drop(100, 90, 0).verdict == "whole"


def test_a_database_without_copies_is_alone() -> None:
    only = Copy(0, "live", 5, None)
    assert find_drop(only, (0,), {0: only}, []) == Drop("alone", 5, 0, None)
