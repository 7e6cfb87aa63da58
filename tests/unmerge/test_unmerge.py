"""A merge of entities, undone: every row is as it was before, but for the audit."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.history.reading import entity_history
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts, present_run
from neotoma_core.unmerge.report import UnmergeReport
from neotoma_core.unmerge.unmerge import UnmergeRequest, unmerge
from tests.conftest import NOW, Recover
from tests.support.archiving import Cells, archive, log_of
from tests.support.databases import USER, entity, insert, make_database, observation
from tests.support.merging_entities import merge_entities
from tests.support.rebuilding import rebuild

AT = "2026-03-01T00:00:00.000Z"


def edge(identifier: str, source: str, target: str, kind: str = "KNOWS") -> dict[str, object]:
    return {
        "id": identifier,
        "relationship_key": f"{kind}:{source}:{target}",
        "relationship_type": kind,
        "source_entity_id": source,
        "target_entity_id": target,
        "observed_at": "2026-02-01T00:00:00.000Z",
        "metadata": '{"note":"n"}',
        "user_id": USER,
        "created_at": "2026-02-01T00:00:00.000Z",
    }


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two entities, edges to a third, one between the two, and one that both have."""
    path = make_database(
        tmp_path / "neotoma.db",
        {
            "entities": [entity("a"), entity("b"), entity("c")],
            "observations": [
                observation("o1", "a"),
                observation("o2", "a", user_id="another"),
                observation("o3", "b"),
            ],
            "relationship_observations": [
                edge("r1", "a", "c"),
                edge("r2", "c", "a"),
                edge("r3", "a", "b"),
                edge("r4", "c", "b"),
            ],
        },
    )
    rebuild(path)
    return path


def run(database: Path, *, confirm: bool = True, incomplete: bool = False) -> UnmergeReport:
    request = UnmergeRequest("m1", database.parent / "archive", incomplete)
    where = Whereabouts(database, database.parent / "vault")
    with present_run(where, NOW) as current:
        return unmerge(current, request, lambda _: confirm, Silent())


def merge(database: Path) -> None:
    merge_entities(database, "a", "b", "m1", at=AT, user=USER)


def sort_log(database: Path) -> Mapping[str, Cells]:
    tables = dict(log_of(database))
    return {name: sorted(tables[name]) for name in tables if name not in AUDITS}


AUDITS = ("entity_merges", "entity_splits")
DERIVED = "SELECT * FROM {} ORDER BY 1"


def snapshots(database: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        edges = "relationship_key, snapshot, observation_count, is_live"
        return [
            *connection.execute("SELECT * FROM entity_snapshots ORDER BY entity_id"),
            *connection.execute(f"SELECT {edges} FROM relationship_snapshots ORDER BY 1"),
        ]


@pytest.mark.parametrize("archived_after", [True, False])
def test_it_is_the_exact_inverse(database: Path, *, archived_after: bool) -> None:
    before, shown = sort_log(database), snapshots(database)
    archive(database)
    merge(database)
    rebuild(database)
    assert sort_log(database) != before
    if archived_after:
        archive(database)
    report = run(database)
    assert (report.moved_observations, report.moved_edges, report.restored_edges) == (1, 1, 2)
    assert sort_log(database) == before
    assert snapshots(database) == shown
    assert rebuild(database).outcome == "unchanged"


def test_the_audit_row_stays_and_the_unmerge_has_one_of_its_own(database: Path) -> None:
    archive(database)
    merge(database)
    run(database)
    with closing(sqlite3.connect(database)) as connection:
        kept = connection.execute("SELECT id FROM entity_merges").fetchall()
        split = connection.execute(
            "SELECT source_entity_id, new_entity_id, observations_rewritten FROM entity_splits"
        ).fetchall()
    assert (kept, split) == ([("m1",)], [("b", "a", 1)])


def test_another_copy_that_knows_the_merge_does_not_merge_again(
    database: Path, tmp_path: Path, run_recover: Recover
) -> None:
    archive(database)
    merge(database)
    copy = tmp_path / "copy.db"
    copy.write_bytes(database.read_bytes())
    run(database)
    undone = sort_log(database)["observations"]
    run_recover(database, copy)
    assert sort_log(database)["observations"] == undone


def test_a_plan_that_is_declined_changes_nothing(database: Path) -> None:
    archive(database)
    merge(database)
    before = database.read_bytes()
    assert run(database, confirm=False).outcome == "planned"
    assert database.read_bytes() == before


def test_what_came_to_the_survivor_later_stays_with_it(database: Path) -> None:
    archive(database)
    merge(database)
    with closing(sqlite3.connect(database)) as connection:
        insert(connection, "observations", observation("o9", "b"))
        connection.commit()
    run(database)
    with closing(sqlite3.connect(database)) as connection:
        owners = dict(connection.execute("SELECT id, entity_id FROM observations").fetchall())
    assert owners == {"o1": "a", "o2": "a", "o3": "b", "o9": "b"}


def test_a_merge_of_more_than_the_archive_saw_is_not_undone_unasked(database: Path) -> None:
    archive(database)
    with closing(sqlite3.connect(database)) as connection:
        insert(connection, "observations", observation("o9", "a"))
        connection.commit()
    merge(database)
    with pytest.raises(UsageError, match="--incomplete"):
        run(database)
    assert run(database, incomplete=True).missing == 1


def test_a_merge_that_is_not_there_or_not_the_last_is_refused(database: Path) -> None:
    archive(database)
    with pytest.raises(UsageError, match="no merge m1"):
        run(database)
    merge(database)
    merge_entities(database, "b", "c", "m2", at=AT, user=USER)
    with pytest.raises(UsageError, match="merged on"):
        run(database)


def test_a_merge_the_archive_never_saw_before_is_refused(database: Path) -> None:
    merge(database)
    archive(database)
    with pytest.raises(UsageError, match="0 of them before"):
        run(database)


def test_the_history_of_an_entity_tells_versions_and_values(database: Path) -> None:
    archive(database)
    merge(database)
    archive(database)
    report = entity_history(database.parent / "archive", "a")
    owners = [(v.observation, v.version, v.entity_id, v.changed) for v in report.versions]
    assert owners == [
        ("o1", 1, "a", ()),
        ("o1", 2, "b", ("entity_id",)),
        ("o2", 1, "a", ()),
    ]
    assert [v.until is None for v in report.versions] == [False, True, True]
    of_survivor = entity_history(database.parent / "archive", "b")
    values = [(v.field, v.value, v.observation) for v in of_survivor.values]
    assert values == [("title", "o1", "o1"), ("title", "o3", "o3")]
    with pytest.raises(UsageError, match="no observation of entity nobody"):
        entity_history(database.parent / "archive", "nobody")
