"""A rebuild that writes anything wrong is rolled back by the proof that is there to catch it."""

import shutil
from pathlib import Path

import pytest

from tests.proofs.planting import (
    BROKEN_KEY,
    FOREIGN_KEYS,
    Fault,
    assert_caught,
    assert_each_proof_has_a_fault,
    damage_page,
    fault,
    reduction_faults,
    short_index,
    stray_write,
)
from tests.support.carrying import run as execute
from tests.support.databases import entity, make_database, observation, source
from tests.support.rebuilding import rebuild
from tests.unmerge.test_unmerge import edge

EVENT = {"event_type": "told", "payload": "{}", "created_at": "2026-02-01T00:00:00.000Z"}
DERIVED = ("entity_snapshots", "relationship_snapshots")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a stale snapshot, two missing ones, one of nothing, and healthy ones."""
    path = make_database(
        tmp_path_factory.mktemp("template") / "target.db",
        {
            "sources": [source("s1")],
            "entities": [entity(f"e{n}") for n in range(1, 5)],
            "observations": [observation(f"o{n}", f"e{n}") for n in (1, 2, 4)],
            "relationship_observations": [edge("r1", "e1", "e2"), edge("r2", "e1", "e4")],
            "substrate_events": [EVENT],
        },
    )
    execute(path, *FOREIGN_KEYS)
    rebuild(path)
    return execute(
        path,
        "UPDATE entity_snapshots SET snapshot = '{}' WHERE entity_id = 'e1'",
        "DELETE FROM entity_snapshots WHERE entity_id = 'e2'",
        "DELETE FROM relationship_snapshots WHERE relationship_key = 'KNOWS:e1:e2'",
        "INSERT INTO entity_snapshots (entity_id, entity_type, schema_version) "
        "VALUES ('e3', 'note', '1.0')",
    )


@pytest.fixture
def target(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / template.name


FAULTS = {
    "a row more": fault("accounted", "sources has 2 rows", "INSERT INTO sources (id) VALUES ('x')"),
    "a row less": fault("accounted", "substrate_events has 0", "DELETE FROM substrate_events"),
    "a row that was to stay as it is": stray_write(
        "UPDATE entities SET aliases = 'x' WHERE id = 'e4'"
    ),
    "a snapshot less": fault(
        "accounted", "has 2 rows, 3", "DELETE FROM entity_snapshots WHERE entity_id = 'e4'"
    ),
    "another cell in a snapshot": fault(
        "written",
        "relationship_snapshots: 0 of 1",
        "UPDATE relationship_snapshots SET schema_version = 'x' "
        "WHERE relationship_key = 'KNOWS:e1:e2'",
    ),
    "a removed snapshot is still there": fault(
        "written",
        "entity_snapshots: 1 rows are still there",
        "INSERT INTO entity_snapshots (entity_id, entity_type, schema_version) "
        "VALUES ('e3', 'note', '1.0')",
        "DELETE FROM entity_snapshots WHERE entity_id = 'e4'",
    ),
    "a foreign key that leads nowhere": fault(
        "intact", "1 rows refer to no row of local_auth_users", BROKEN_KEY
    ),
    **{f"an index without rows of {name}": short_index(name) for name in DERIVED},
    **{f"a damaged page of {name}": damage_page(name) for name in DERIVED},
    **reduction_faults("e1", "o2", "e4", of=2),
}


@pytest.mark.parametrize("wrong", FAULTS.values(), ids=FAULTS)
def test_a_wrong_write_is_rolled_back_by_its_proof(wrong: Fault, target: Path) -> None:
    assert_caught(wrong, target, lambda: rebuild(target))


def test_no_proof_passes_that_was_not_seen_to_fail(target: Path) -> None:
    report = rebuild(target)
    assert report.outcome == "rebuilt"
    assert_each_proof_has_a_fault(report.checks, list(FAULTS.values()))
