"""A copy read part by part loses what a copy read at once loses."""

import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.erased.naming import Ids, find_ids, read_all
from neotoma_core.erased.reach import reach
from neotoma_core.erasure.held import copy as held_copy
from neotoma_core.erasure.held.copy import read_held
from neotoma_core.erasure.plan import ErasurePlan, plan_erasure
from neotoma_core.erasure.raw_files import files_staying
from neotoma_core.ledger.file import read_ledger
from neotoma_core.neotoma.cells import ODD
from neotoma_core.report.progress import Silent
from neotoma_core.restore.restore import RestoreRequest, restore
from neotoma_core.restore.sources import find_source
from neotoma_core.sqlite import streaming
from tests.conftest import NOW
from tests.support.backing_up import PERMISSIVE
from tests.support.databases import read_all as read_database
from tests.support.erasing import World, find_texts, signs_of
from tests.support.planted import ASKED, ENTITY, OBSERVATION, USER_OF_ALL
from tests.support.reaching import told_by

LATER = NOW + timedelta(days=2)
BLOB = f"{ODD}X'0EAD'"
SEEDS: dict[str, Ids] = {
    "entity": {"entities": frozenset({ENTITY})},
    "observation": {"observations": frozenset({OBSERVATION})},
    "user": {"users": frozenset({USER_OF_ALL})},
    "blob": {"entities": frozenset({BLOB})},
    "absent": {"entities": frozenset({"ent-nowhere"})},
}
ODD_ROWS = (
    "CREATE TABLE summaries (id TEXT, entity_id TEXT, text TEXT)",
    f"INSERT INTO summaries VALUES ('s', '{ENTITY}', 'told'), ('t', 'ent-keep', 'kept')",
    "CREATE TABLE numbers (n INTEGER)",
    "INSERT INTO numbers VALUES (1)",
    "UPDATE entities SET id = x'0EAD' WHERE id = 'ent-other'",
    "UPDATE observations SET entity_id = x'0EAD' WHERE entity_id = 'ent-other'",
)


def read_in_parts(patch: pytest.MonkeyPatch) -> None:
    """Take every copy for a large one, and parts of a few rows for large ones."""
    patch.setattr(held_copy, "_SMALL_BYTES", 0)
    patch.setattr(streaming, "_PART_BYTES", 1)
    patch.setattr(streaming, "_BATCH_ROWS", 2)


def plan_of(world: World, seeds: Ids) -> ErasurePlan:
    return plan_erasure(read_held(world.target, world.target, None), seeds, "2026-03-14")


def told_of(plan: ErasurePlan) -> dict[str, object]:
    derived = [(d.change.written.to_dicts(), d.change.removed.to_dicts()) for d in plan.derived]
    return told_by(plan.reach) | {
        "derived": derived,
        "emptied": plan.emptied,
        "staying": files_staying(plan),
    }


@pytest.mark.parametrize("asked", SEEDS)
def test_what_goes_is_the_same(asked: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.execute(world.target, *ODD_ROWS)
    at_once = plan_of(world, SEEDS[asked])
    tables = {name: next(at_once.tables.read(name)) for name in at_once.tables.names}
    among_all = reach(tables, SEEDS[asked]).rows
    assert [sorted(at_once.gone[name]) for name in among_all] == [*map(sorted, among_all.values())]
    assert bool(at_once.writes) == (asked != "absent")
    read_in_parts(monkeypatch)
    assert told_of(plan_of(world, SEEDS[asked])) == told_of(at_once)


def test_a_part_has_a_few_rows_and_only_those_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = read_held(world.target, world.target, None).tables
    read_in_parts(monkeypatch)
    tables = read_held(world.target, world.target, None).tables
    assert tables.names == at_once.names
    assert len(list(tables.read("observations"))) > 2
    asked = tables.read("observations", {"observations": frozenset({OBSERVATION})})
    assert [name for part in asked for name in part.rows["id"]] == [OBSERVATION]
    some = {"entities": frozenset({ENTITY, "ent-nowhere"}), "users": frozenset({USER_OF_ALL})}
    assert find_ids(tables, some) == find_ids(at_once, some)
    rows = {name: pl.concat([p.rows for p in tables.read(name)]).height for name in tables.names}
    assert rows == {name: next(at_once.read(name)).rows.height for name in at_once.names}


def test_an_older_copy_comes_back_without_what_was_erased(
    world: World, template: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = World(Path(shutil.copytree(template.folder, tmp_path / "expected")))
    erase_and_restore(expected)
    read_in_parts(monkeypatch)
    erase_and_restore(world)
    assert read_database(world.target) == read_database(expected.target)
    assert find_texts(world, *signs_of("all")) == []


def erase_and_restore(world: World) -> None:
    world.erase(**ASKED["all"])
    known = read_ledger(world.vault).erased
    assert known.find_in(read_all(read_held(world.target, world.target, None).tables)) == {}
    found = find_source(str(world.backup), world.vault, world.target)
    request = RestoreRequest(found, world.target, world.vault, guard=PERMISSIVE)
    assert restore(request, LATER, Silent()).erased > 0
