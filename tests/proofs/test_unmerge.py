"""An unmerge that writes anything wrong is rolled back by the proof that is there to catch it."""

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
from tests.support.archiving import archive
from tests.support.carrying import run as execute
from tests.support.databases import entity, make_database, observation, source
from tests.support.rebuilding import rebuild
from tests.unmerge.test_unmerge import edge, merge, run


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which ``a`` was merged into ``b``, and an archive of before."""
    path = make_database(
        tmp_path_factory.mktemp("template") / "neotoma.db",
        {
            "sources": [source("s1")],
            "entities": [entity(name) for name in "abcd"],
            "observations": [
                observation("o1", "a"),
                observation("o2", "a", user_id="another"),
                observation("o3", "b"),
                observation("o4", "d"),
            ],
            "relationship_observations": [
                edge("r1", "a", "c"),
                edge("r2", "a", "b"),
                edge("r3", "c", "d"),
            ],
        },
    )
    execute(path, *FOREIGN_KEYS)
    rebuild(path)
    archive(path)
    merge(path)
    rebuild(path)
    return path


@pytest.fixture
def target(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / template.name


WRITTEN = ("observations", "entity_splits", "relationship_snapshots")
FAULTS = {
    "a row more": fault("accounted", "sources has 2 rows", "INSERT INTO sources (id) VALUES ('x')"),
    "a row less": fault("accounted", "entity_merges has 0 rows", "DELETE FROM entity_merges"),
    "a row that was to stay as it is": stray_write(
        "UPDATE entities SET aliases = 'x' WHERE id = 'd'"
    ),
    "a snapshot less": fault(
        "accounted", "entity_snapshots", "DELETE FROM entity_snapshots WHERE entity_id = 'd'"
    ),
    "another cell in a row that went back": fault(
        "written",
        "observations: 0 of 1",
        "UPDATE observations SET identity_rule = 'x' WHERE id = 'o1'",
    ),
    "another cell in a row that came back": fault(
        "written",
        "relationship_observations: 0 of 1",
        "UPDATE relationship_observations SET provenance = 'x' WHERE id = 'r2'",
    ),
    "another cell in the audit": fault(
        "written", "entity_splits: 0 of 1", "UPDATE entity_splits SET reason = 'x'"
    ),
    "another cell in a snapshot": fault(
        "written",
        "relationship_snapshots: 1 of 2",
        "UPDATE relationship_snapshots SET schema_version = 'x' "
        "WHERE relationship_key = 'KNOWS:a:c'",
    ),
    "a removed snapshot is still there": fault(
        "written",
        "relationship_snapshots: 1 rows are still there",
        "INSERT INTO relationship_snapshots (relationship_key, relationship_type, schema_version, "
        "source_entity_id, target_entity_id) VALUES ('KNOWS:b:c', 'KNOWS', '1.0', 'b', 'c')",
        "DELETE FROM relationship_snapshots WHERE relationship_key = 'KNOWS:c:d'",
    ),
    "a foreign key that leads nowhere": fault(
        "intact", "1 rows refer to no row of local_auth_users", BROKEN_KEY
    ),
    **{f"an index without rows of {name}": short_index(name) for name in WRITTEN},
    **{f"a damaged page of {name}": damage_page(name) for name in WRITTEN},
    **reduction_faults("b", "o3", "d", of=1),
}


@pytest.mark.parametrize("wrong", FAULTS.values(), ids=FAULTS)
def test_a_wrong_write_is_rolled_back_by_its_proof(wrong: Fault, target: Path) -> None:
    assert_caught(wrong, target, lambda: run(target))


def test_no_proof_passes_that_was_not_seen_to_fail(target: Path) -> None:
    report = run(target)
    assert report.outcome == "unmerged"
    assert_each_proof_has_a_fault(report.checks, list(FAULTS.values()))
