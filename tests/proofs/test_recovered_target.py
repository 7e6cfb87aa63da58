"""A target that is not proven is not made, and a page that cannot be read ends the run."""

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from neotoma_core.errors import TargetError, VerificationFailed
from tests.conftest import Recover
from tests.proofs.planting import (
    assert_caught,
    fault,
    files_of,
    lose_root,
    plant_at,
)
from tests.support.databases import entity, make_database, observation


@pytest.mark.parametrize("proof", ["accounted", "written", "referenced"])
def test_a_target_that_is_not_proven_is_not_made(
    proof: str, target: Path, backup: Path, tmp_path: Path, run_recover: Recover
) -> None:
    made = tmp_path / "new" / "made.db"
    made.parent.mkdir()
    wrong = {
        "accounted": "DELETE FROM entities WHERE id = 'e2'",
        "written": "UPDATE entities SET aliases = 'x' WHERE id = 'e2'",
        "referenced": "UPDATE entities SET id = 'x' WHERE id = 'e1'",
    }
    plant = fault(proof, "", wrong[proof]).plant
    with plant_at(plant), pytest.raises(VerificationFailed, match=proof):
        run_recover(made, target, backup)
    assert files_of(made) == {}


def test_a_target_of_which_a_foreign_key_leads_nowhere_is_not_made(
    backup: Path, tmp_path: Path, run_recover: Recover
) -> None:
    made = tmp_path / "made.db"

    def plant(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE some (id PRIMARY KEY)")
        connection.execute("CREATE TABLE more (id REFERENCES some (id))")
        connection.execute("INSERT INTO more VALUES (1)")

    with plant_at(plant), pytest.raises(VerificationFailed) as caught:
        run_recover(made, backup)
    assert caught.value.failed[-1] == "intact: more: 1 rows refer to no row of some"
    assert files_of(made) == {}


def test_a_page_that_cannot_be_read_again_ends_the_run_with_an_error_of_ours(
    target: Path, backup: Path, run_recover: Recover
) -> None:
    before = files_of(target)
    plant = partial(lose_root, table="observations", name="observations")
    with plant_at(plant), pytest.raises(TargetError, match="a page was damaged"):
        run_recover(target, backup)
    assert files_of(target) == before


MANY = 250


@pytest.fixture
def many(tmp_path: Path) -> Path:
    numbers = range(MANY)
    return make_database(
        tmp_path / "many.db",
        {
            "entities": [entity(f"m{n:03}") for n in numbers],
            "observations": [observation(f"p{n:03}", f"m{n:03}") for n in numbers],
        },
    )


def test_of_many_snapshots_a_sample_is_reduced_again_that_is_spread_over_all(
    many: Path, tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "data" / "target.db")
    places = ("staging.write_entity_snapshots", "main.entity_snapshots")
    statements = [f"UPDATE {place} SET observation_count = 7" for place in places]
    with (
        plant_at(fault("re-reduced", "", *statements).plant),
        pytest.raises(VerificationFailed, match="125 of 125 entity snapshots differ"),
    ):
        run_recover(target, many)
    tail = [f"{statement} WHERE entity_id >= 'm240'" for statement in statements]
    with (
        plant_at(fault("re-reduced", "", *tail).plant),
        pytest.raises(VerificationFailed, match="5 of 125 entity snapshots differ"),
    ):
        run_recover(target, many)


def test_a_cell_of_a_snapshot_outside_the_sample_is_compared_with_what_was_staged(
    many: Path, tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "data" / "target.db")
    wrong = "UPDATE entity_snapshots SET user_id = 'x' WHERE entity_id = 'm001'"
    says = f"entity_snapshots: {MANY - 1} of {MANY}"
    assert_caught(fault("written", says, wrong), target, lambda: run_recover(target, many))
