"""A recovery that writes anything wrong is rolled back by the proof that is there to catch it."""

import shutil
import sqlite3
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.errors import TargetError, VerificationFailed
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
    FOREIGN_KEYS,
    Fault,
    assert_caught,
    assert_each_proof_has_a_fault,
    damage_page,
    fault,
    files_of,
    lose_root,
    plant_at,
    reduction_faults,
    short_index,
    stray_write,
)
from tests.sources.test_carried import run as execute
from tests.support.databases import Row, entity, make_database, observation, source
from tests.support.rebuilding import rebuild

LATER = "2026-03-01T00:00:00.000Z"
LOG = (
    "CREATE TABLE lines (line TEXT, user_id TEXT)",
    "INSERT INTO lines (line) VALUES ('both'), ('both')",
)


def edge(identifier: str, end: str) -> Row:
    return {
        "id": identifier,
        "relationship_key": f"KNOWS:e1:{end}",
        "relationship_type": "KNOWS",
        "source_entity_id": "e1",
        "target_entity_id": end,
        "observed_at": "2026-02-01T00:00:00.000Z",
        "metadata": "{}",
    }


def database(path: Path, **more: list[Row]) -> Path:
    """Make a database of three entities, with something in every kind of table."""
    rows = {
        "sources": [source("s1"), source("s2", original_filename=path.name)],
        "entities": [entity(f"e{n}") for n in range(1, 7)],
        "observations": [observation(f"o{n}", f"e{n}") for n in (1, 3, 4)],
        "relationship_observations": [edge("r1", "e2")],
    }
    make_database(
        path, {name: [*rows.get(name, ()), *more.get(name, ())] for name in {**rows, **more}}
    )
    return execute(path, *LOG, *FOREIGN_KEYS)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two databases.

    A target with snapshots, and with references that lead nowhere already; and a backup: a copy
    with a newer source, an observation and an edge more, and an entity deleted.
    """
    folder = tmp_path_factory.mktemp("template")
    events: list[Row] = [
        {"event_type": "told", "payload": "{}", "created_at": LATER, "entity_id": "e1"}
    ]
    target = database(
        folder / "data" / "target.db",
        sources=[source("s3")],
        observations=[observation(f"d{n}", "e1", source_id="nowhere") for n in range(3)],
        substrate_events=events,
    )
    rebuild(target)
    gone = observation("o9", "e3", observed_at=LATER, source_priority=1000)
    backup = database(
        folder / "backup.db",
        observations=[
            observation("o2", "e1", source_id="s1"),
            {**gone, "fields": '{"_deleted":true}'},
        ],
        relationship_observations=[edge("r2", "e3")],
    )
    execute(backup, "INSERT INTO lines (line) VALUES ('new')")
    return folder


@pytest.fixture
def target(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template / "data", tmp_path / "data")) / "target.db"


@pytest.fixture
def backup(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template / "backup.db", tmp_path))


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
