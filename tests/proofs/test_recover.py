"""A recovery that writes anything wrong is rolled back by the proof that is there to catch it."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.errors import VerificationFailed
from neotoma_core.lineage.references import find_dangling
from neotoma_core.neotoma.frames import ORIGIN, TARGET
from neotoma_core.recovery.applying import apply_plan
from neotoma_core.recovery.plan import RecoveryPlan
from neotoma_core.recovery.recover import make_plan
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.runs.clock import Clock
from tests.conftest import NOW, Recover
from tests.proofs.planting import (
    BROKEN_KEY,
    Fault,
    assert_caught,
    assert_each_proof_has_a_fault,
    damage_page,
    fault,
    files_of,
    reduction_faults,
    short_index,
    stray_write,
)
from tests.proofs.two_logs import LATER, edge
from tests.support.databases import entity, make_database, observation

FAULTS = {
    "a row more": fault("accounted", "sources has 4 rows", "INSERT INTO sources (id) VALUES ('x')"),
    "a row less": fault("accounted", "sources has 2 rows", "DELETE FROM sources WHERE id = 's3'"),
    "a row more that has no key": fault(
        "accounted", "lines has 4 rows", "INSERT INTO lines (line) VALUES ('x')"
    ),
    "a row less of a table that is not merged": fault(
        "accounted", "substrate_events has 0 rows", "DELETE FROM substrate_events"
    ),
    "a row that was to stay as it is": stray_write(
        "UPDATE entities SET aliases = 'x' WHERE id = 'e4'"
    ),
    "a snapshot less": fault(
        "accounted",
        "relationship_snapshots",
        "DELETE FROM relationship_snapshots WHERE relationship_key = 'KNOWS:e1:e2'",
    ),
    "another cell in an inserted row": fault(
        "written",
        "observations: 1 of 2",
        "UPDATE observations SET identity_rule = 'x' WHERE id = 'o2'",
    ),
    "another class of cell": fault(
        "written",
        "observations: 1 of 2",
        "UPDATE observations SET provenance = CAST('' AS BLOB) WHERE id = 'o2'",
    ),
    "another cell in a replaced row": fault(
        "written", "sources: 0 of 1", "UPDATE sources SET original_filename = 'x' WHERE id = 's2'"
    ),
    "another cell in a row without a key": fault(
        "written", "lines: 0 of 1", "UPDATE lines SET line = 'x' WHERE line = 'new'"
    ),
    "another cell in a snapshot": fault(
        "written",
        "relationship_snapshots: 0 of 1",
        "UPDATE relationship_snapshots SET schema_version = 'x' "
        "WHERE relationship_key = 'KNOWS:e1:e3'",
    ),
    "a removed snapshot is still there": fault(
        "written",
        "entity_snapshots: 1 rows are still there",
        "INSERT INTO entity_snapshots (entity_id, entity_type, schema_version) "
        "VALUES ('e3', 'note', '1.0')",
        "DELETE FROM entity_snapshots WHERE entity_id = 'e4'",
    ),
    "a reference that leads nowhere": fault(
        "referenced",
        "observations.source_id: 1 references lead nowhere",
        "UPDATE sources SET id = 'x' WHERE id = 's1'",
    ),
    "a foreign key that leads nowhere": fault(
        "intact", "1 rows refer to no row of local_auth_users", BROKEN_KEY
    ),
    **{
        f"an index without rows of {t}": short_index(t)
        for t in ("observations", "lines", "entity_snapshots")
    },
    **{
        f"a damaged page of {t}": damage_page(t)
        for t in ("sources", "lines", "relationship_snapshots")
    },
    **reduction_faults("e1", "d1", "e2", of=1),
    "entities merged in a circle": fault(
        "acyclic",
        "2 entities are merged in a circle",
        "UPDATE entities SET merged_to_entity_id = 'e6' WHERE id = 'e5'",
        "UPDATE entities SET merged_to_entity_id = 'e5' WHERE id = 'e6'",
    ),
    **{
        f"{name} left on a merged-away entity": fault(
            "settled",
            f"{name}: {rows} rows are on an entity that was merged into another",
            f"UPDATE entities SET merged_to_entity_id = 'e2' WHERE id = '{merged}'",
        )
        for name, merged, rows in (
            ("observations", "e4", 1),
            ("relationship_observations", "e3", 1),
            ("entity_snapshots", "e4", 1),
            ("relationship_snapshots", "e3", 1),
        )
    },
}


@pytest.mark.parametrize("wrong", FAULTS.values(), ids=FAULTS)
def test_a_wrong_write_is_rolled_back_by_its_proof(
    wrong: Fault, target: Path, backup: Path, run_recover: Recover
) -> None:
    assert_caught(wrong, target, lambda: run_recover(target, backup, mode="keep-source"))


def test_no_proof_passes_that_was_not_seen_to_fail(
    target: Path, backup: Path, run_recover: Recover
) -> None:
    report = run_recover(target, backup, mode="keep-source")
    assert report.outcome == "published"
    assert_each_proof_has_a_fault(report.checks, list(FAULTS.values()))


def test_an_edge_that_was_to_leave_and_did_not_is_found(
    tmp_path: Path, run_recover: Recover
) -> None:
    merged = entity("e3", merged_to_entity_id="e1", merged_at=LATER)
    edges = [edge("loop", "e3"), edge("other", "e2"), edge("more", "e2")]
    target = make_database(
        tmp_path / "data" / "target.db",
        {"entities": [entity("e1"), entity("e2"), merged], "relationship_observations": edges},
    )
    backup = make_database(tmp_path / "backup.db", {"entities": [entity("e4")]})
    wrong = fault(
        "written",
        "relationship_observations: 1 rows are still there",
        "INSERT INTO relationship_observations (rowid, id, relationship_key, relationship_type, "
        "source_entity_id, target_entity_id, observed_at) "
        "VALUES (1, 'loop', 'KNOWS:e1:e3', 'KNOWS', 'e1', 'e3', '2026-02-01T00:00:00.000Z')",
        "DELETE FROM relationship_observations WHERE id = 'more'",
    )
    assert_caught(wrong, target, lambda: run_recover(target, backup))
    assert run_recover(target, backup).outcome == "published"


def test_a_plan_that_would_lose_a_reference_is_not_published(target: Path, tmp_path: Path) -> None:
    """A wrong plan, here one that forgets an entity of the backup, is written as planned."""
    new = {"entities": [entity("new")], "observations": [observation("o", "new")]}
    backup = make_database(tmp_path / "new.db", new)
    before = files_of(target)
    with recovery_run(RecoverRequest(target, (backup,), tmp_path / "vault"), NOW) as run:
        plan = make_plan(run, Silent(), Clock())
        with pytest.raises(VerificationFailed) as caught:
            apply_plan(without_inserted(plan, "entities"), Silent())
    assert caught.value.failed == (
        "referenced: observations.entity_id: 1 references would be lost",
    )
    assert files_of(target) == before


def without_inserted(plan: RecoveryPlan, name: str) -> RecoveryPlan:
    """Return a plan that does not insert the rows of one table, and knows what that means."""
    merge = plan.merge.tables[name]
    kept = merge.merged.filter(pl.col(ORIGIN) == TARGET)
    tables = {**plan.merge.tables, name: replace(merge, merged=kept)}
    merged = {n: t.merged for n, t in tables.items()}
    lost = find_dangling(merged, plan.merge.offers)
    return replace(plan, merge=replace(plan.merge, tables=tables, dangling=lost))
