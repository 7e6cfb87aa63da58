"""An erasure that writes anything wrong is rolled back by the proof that is there to catch it."""

import shutil
from pathlib import Path
from typing import Any

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
from tests.support.databases import entity, insert_all, observation
from tests.support.erasing import World, build
from tests.support.planted import ENTITY, OBSERVATION, relationship
from tests.support.rebuilding import rebuild

ASKED: dict[str, Any] = {
    "entities": (ENTITY,),
    "observations": (OBSERVATION, "obs-lone", "rel-keep-2"),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world, with an entity of one observation, and an edge of two."""
    world = build(tmp_path_factory.mktemp("template"))
    insert_all(
        world.target,
        {
            "entities": [entity("ent-lone")],
            "observations": [observation("obs-lone", "ent-lone")],
            "relationship_observations": [relationship("rel-keep-2", "ent-keep", "ent-other")],
        },
    )
    execute(world.target, *FOREIGN_KEYS)
    rebuild(world.target)
    return world


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    shutil.copytree(template.folder, tmp_path, dirs_exist_ok=True)
    return World(tmp_path)


FAULTS = {
    "a row more": fault("accounted", "sources has", "INSERT INTO sources (id) VALUES ('x')"),
    "a row less": fault(
        "accounted", "raw_fragments has 0 rows", "DELETE FROM raw_fragments WHERE id = 'frg-keep'"
    ),
    "a row less of a table that nothing is erased from": fault(
        "accounted", "auth_sessions has 0 rows", "DELETE FROM auth_sessions"
    ),
    "a row that was to stay as it is": stray_write(
        "UPDATE entities SET aliases = 'x' WHERE id = 'ent-other'", step="rows_erased"
    ),
    "a snapshot less": fault(
        "accounted",
        "entity_snapshots has",
        "DELETE FROM entity_snapshots WHERE entity_id = 'ent-other'",
    ),
    "an erased id that is still named": fault(
        "gone",
        "timeline_events.entity_id: 1 rows",
        f"UPDATE timeline_events SET entity_id = '{ENTITY}' WHERE id = 'evt-keep'",
    ),
    "another cell in a snapshot": fault(
        "written",
        "relationship_snapshots: 0 of 1",
        "UPDATE relationship_snapshots SET schema_version = 'x' "
        "WHERE relationship_key = 'KNOWS:ent-keep:ent-other'",
    ),
    "a removed snapshot is still there": fault(
        "written",
        "entity_snapshots: 1 rows are still there",
        "INSERT INTO entity_snapshots (entity_id, entity_type, schema_version) "
        "VALUES ('ent-lone', 'note', '1.0')",
        "DELETE FROM entity_snapshots WHERE entity_id = 'ent-other'",
    ),
    **reduction_faults("ent-keep", "obs-keep-1", "x", of=1),
    "a foreign key that leads nowhere": fault(
        "intact", "1 rows refer to no row of local_auth_users", BROKEN_KEY
    ),
    **{f"an index without rows of {t}": short_index(t) for t in ("sources", "entity_snapshots")},
    **{f"a damaged page of {t}": damage_page(t) for t in ("sources", "entity_snapshots")},
}


@pytest.mark.parametrize("wrong", FAULTS.values(), ids=FAULTS)
def test_a_wrong_write_is_rolled_back_by_its_proof(wrong: Fault, world: World) -> None:
    assert_caught(wrong, world.target, lambda: world.erase(**ASKED))


def test_no_proof_passes_that_was_not_seen_to_fail(world: World) -> None:
    report = world.erase(**ASKED)
    assert report.outcome == "erased"
    assert_each_proof_has_a_fault(report.checks, list(FAULTS.values()))
