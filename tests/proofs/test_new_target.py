"""A target that is not there yet and takes a backup's rows as they lie there is proven as well."""

from functools import partial
from pathlib import Path

import pytest

from neotoma_core.errors import TargetError, VerificationFailed
from tests.conftest import Recover
from tests.proofs.planting import (
    Fault,
    assert_each_proof_has_a_fault,
    damage_page,
    fault,
    lose_root,
    plant_at,
    reduction_faults,
    short_index,
    stray_write,
)

FAULTS = {
    "a row less": fault("accounted", "sources has 1 rows", "DELETE FROM sources WHERE id = 's2'"),
    "a row written twice": stray_write("UPDATE entities SET aliases = NULL WHERE id = 'e4'"),
    "another cell in a row": fault(
        "written",
        "observations: 4 of 5",
        "UPDATE observations SET identity_rule = 'x' WHERE id = 'o2'",
    ),
    "another class of cell": fault(
        "written",
        "observations: 4 of 5",
        "UPDATE observations SET provenance = CAST('' AS BLOB) WHERE id = 'o2'",
    ),
    "another cell in a snapshot": fault(
        "written",
        "entity_snapshots: 1 of 2",
        "UPDATE entity_snapshots SET user_id = 'x' WHERE entity_id = 'e4'",
    ),
    "a reference that leads nowhere": fault(
        "referenced",
        "observations.source_id: 1 references lead nowhere",
        "UPDATE sources SET id = 'x' WHERE id = 's1'",
    ),
    **{
        f"an index without rows of {t}": short_index(t)
        for t in ("observations", "entity_snapshots")
    },
    "a damaged page of entities": damage_page("entities"),
    **reduction_faults("e1", "o2", "e2", of=2),
    "entities merged in a circle": fault(
        "acyclic",
        "2 entities are merged in a circle",
        "UPDATE entities SET merged_to_entity_id = 'e6' WHERE id = 'e5'",
        "UPDATE entities SET merged_to_entity_id = 'e5' WHERE id = 'e6'",
    ),
    "a row left on a merged-away entity": fault(
        "settled",
        "observations: 1 rows are on an entity that was merged into another",
        "UPDATE entities SET merged_to_entity_id = 'e2' WHERE id = 'e4'",
    ),
}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "made.db"
    path.parent.mkdir()
    return path


@pytest.mark.parametrize("wrong", FAULTS.values(), ids=FAULTS)
def test_a_target_that_is_not_proven_is_not_made(
    wrong: Fault, made: Path, backup: Path, run_recover: Recover
) -> None:
    with plant_at(wrong.plant, wrong.step), pytest.raises(VerificationFailed) as caught:
        run_recover(made, backup)
    # Every row was written just now, so another proof may fail of the same.
    said = {line.partition(":")[0]: line for line in caught.value.failed}
    assert wrong.says in said[wrong.proof]
    assert list(made.parent.iterdir()) == []


def test_no_proof_passes_that_was_not_seen_to_fail(
    made: Path, backup: Path, run_recover: Recover
) -> None:
    report = run_recover(made, backup)
    assert report.outcome == "published"
    assert_each_proof_has_a_fault(report.checks, list(FAULTS.values()))


def test_a_page_that_cannot_be_read_ends_the_run_with_an_error_of_ours(
    made: Path, backup: Path, run_recover: Recover
) -> None:
    plant = partial(lose_root, table="observations", name="observations")
    with plant_at(plant), pytest.raises(TargetError, match="a page was damaged"):
        run_recover(made, backup)
    assert list(made.parent.iterdir()) == []
