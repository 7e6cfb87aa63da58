"""Copies in which the same entities were merged differently, in every order and mode.

Pairs, triangles, chains, forks, splits, loops and double edges: 13 groups of 5 entities.
"""

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.merge.policy import MergeMode
from tests.conftest import Recover
from tests.faults.cases import FAULTS, unpack
from tests.faults.invariants import History, read_groups

GROUPS = read_groups(FAULTS / "opposite_merges" / "groups.json")
KEEPING: list[MergeMode] = ["keep-target", "keep-source"]  # safe asks
ORDERS = [
    *itertools.permutations(("copy0", "copy1", "copy2")),
    ("empty", "copy0", "copy1", "copy2"),
    ("empty", "copy2", "copy1", "copy0"),
    ("base", "copy1", "copy0", "copy2"),
]


def copies(order: tuple[str, ...], folder: Path) -> list[Path]:
    """Unpack the copies; the one that is called empty is not there."""
    paths = [folder / f"{name}.prod.db" for name in order]
    for name, path in zip(order, paths, strict=True):
        if name != "empty":
            unpack("opposite_merges", path, name)
    return paths


@pytest.mark.parametrize("mode", KEEPING)
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_every_group_keeps_the_invariants_and_a_second_run_writes_nothing(
    order: tuple[str, ...], mode: MergeMode, tmp_path: Path, run_recover: Recover
) -> None:
    target, *backups = copies(order, tmp_path)
    run_recover(target, *backups, mode=mode)
    history = History(target)
    assert {g.name: broken for g in GROUPS if (broken := history.find_broken(g))} == {}
    again = run_recover(target, *backups, mode=mode, dry_run=True)
    assert again.writes == 0


@pytest.mark.parametrize("mode", KEEPING)
def test_of_two_copies_no_row_is_lost_and_no_pointer_runs_in_a_circle(
    mode: MergeMode, tmp_path: Path, run_recover: Recover
) -> None:
    target, *backups = copies(("copy2", "base", "copy0"), tmp_path)
    held = set().union(*(observations(path) for path in (target, *backups)))
    run_recover(target, *backups, mode=mode)
    assert observations(target) == held
    history = History(target)
    for group in GROUPS:
        broken = [*history.find_broken_pointers(group)]
        assert "pointers in a circle or into nowhere" not in broken, group.name


def observations(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT id FROM observations")}
