"""Rules by release: which are used, what they explain, and what of theirs is left alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.neotoma.ddl import create_index
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.recovery.report import RecoveryReport
from tests.conftest import copy_databases, recover_into
from tests.support.databases import entity, make_database, observation, read_all
from tests.support.rebuilding import check, rebuild

INDEX = "idx_entity_snapshots_user_type"
THEIRS = "00000000-0000-0000-0000-00000000000b"


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def open_with_a_newer(path: Path) -> None:
    """Give a database the index that every Neotoma from 0.22.2 on makes as it opens one."""
    (index,) = (i for i in BY_NAME["entity_snapshots"].indexes if i.name == INDEX)
    execute(path, create_index(BY_NAME["entity_snapshots"], index))


def snapshots_of(path: Path, *entities: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT entity_id, * FROM entity_snapshots").fetchall()
    return [row for row in rows if row[0] in entities]


@pytest.fixture(scope="module")
def recovered(
    unpacked: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, RecoveryReport]:
    folder = tmp_path_factory.mktemp("rules")
    incident = copy_databases(unpacked, folder)
    target = incident / "data" / "neotoma.prod.db"
    backups = [incident / "backups" / name for name in ("neotoma.prod.db.db", "neotoma.prod 2.db")]
    return target, recover_into(folder / "vault")(target, *backups)


@pytest.fixture
def mixed(recovered: tuple[Path, RecoveryReport], tmp_path: Path) -> Path:
    """The incident; a Neotoma of 0.23 has recomputed five of its entities."""
    path = tmp_path / "mixed.db"
    path.write_bytes(recovered[0].read_bytes())
    told = recovered[1].rules.differing
    assert rebuild(path, entities=told[:5], rules="0.23").writes == 5
    return path


def test_the_report_names_the_snapshots_that_tell_the_rules_apart(
    recovered: tuple[Path, RecoveryReport],
) -> None:
    rules = recovered[1].rules
    assert (rules.name, rules.otherwise) == ("0.22", {"0.23": 14, "main": 14})
    assert len(rules.differing) == 14
    assert "nothing of a Neotoma later than v0.22.1" in rules.why


@pytest.mark.parametrize("newer", [True, False], ids=["opened by a newer", "not"])
def test_a_check_is_silent_on_rows_of_two_releases(*, newer: bool, mixed: Path) -> None:
    if newer:
        open_with_a_newer(mixed)
    report = check(mixed)
    assert report.drifts == 0
    assert report.rules.name == ("0.23" if newer else "0.22")
    assert (INDEX in report.rules.why) == newer
    (entities, _) = report.drift
    assert entities.older_rules == (9 if newer else 5)
    before = read_all(mixed)
    assert rebuild(mixed).outcome == "unchanged"
    assert read_all(mixed) == before


def test_what_no_rules_explain_is_drift_all_the_same(mixed: Path) -> None:
    open_with_a_newer(mixed)
    few = "SELECT entity_id FROM entity_snapshots ORDER BY entity_id LIMIT 3"
    execute(mixed, f"UPDATE entity_snapshots SET snapshot = '{{}}' WHERE entity_id IN ({few})")
    report = check(mixed)
    assert (report.drifts, report.unexplained) == (3, 3)


def test_rules_that_are_named_are_those_of_every_snapshot(mixed: Path) -> None:
    assert check(mixed, rules="0.22").drifts == 5
    assert check(mixed, rules="0.23").drifts == 9
    assert rebuild(mixed, rules="0.23").writes == 9
    assert check(mixed, rules="0.23").drifts == 0
    assert check(mixed).drifts == 0
    assert rebuild(mixed, rules="0.22").writes == 14
    assert check(mixed, rules="0.22").drifts == 0


def make_keyed(folder: Path, strategy: str = "merge_array_by_key", key: str = "id") -> Path:
    """Return a database with a type that has a field that only later rules can pick."""
    policy = f'{{"strategy": "{strategy}", "key_field": "{key}"}}'
    schema = {
        "id": "s",
        "entity_type": "note",
        "schema_version": "1.0",
        "schema_definition": '{"fields": {"rows": {"type": "array"}, "title": {"type": "string"}}}',
        "reducer_config": f'{{"merge_policies": {{"rows": {policy}}}}}',
        "active": 1,
        "scope": "global",
    }
    fields = '{"rows": [{"id": 1, "v": "secret"}]}'
    return make_database(
        folder / "keyed.db",
        {
            "schema_registry": [schema],
            "entities": [entity("stored"), entity("missing"), entity("plain")],
            "observations": [
                observation("o1", "stored", fields=fields),
                observation("o2", "missing", fields=fields),
                observation("o3", "plain"),
            ],
            "entity_snapshots": [
                {
                    "entity_id": "stored",
                    "entity_type": "note",
                    "schema_version": "1.0",
                    "snapshot": '{"rows":[]}',
                }
            ],
        },
    )


@pytest.mark.parametrize(
    ("strategy", "key", "told"),
    [
        ("merge_array_by_key", "id", "unknown merge strategy of the field rows"),
        ("merge_somehow", "id", "unknown merge strategy of the field rows: merge_somehow"),
    ],
)
def test_where_a_reduction_throws_the_snapshot_stays_and_none_is_invented(
    strategy: str, key: str, told: str, tmp_path: Path
) -> None:
    path = make_keyed(tmp_path, strategy, key)
    stored = snapshots_of(path, "stored")
    report = rebuild(path)
    assert snapshots_of(path, "stored") == stored
    assert snapshots_of(path, "missing") == []
    assert len(snapshots_of(path, "plain")) == 1
    failing = {f.subject: f.detail for f in report.findings if f.kind == "reduction-fails"}
    assert set(failing) == {"stored", "missing"}
    assert all(told in detail and "secret" not in detail for detail in failing.values())
    assert check(path).drifts == 0


def test_rules_that_know_the_strategy_reduce_it(tmp_path: Path) -> None:
    path = make_keyed(tmp_path)
    report = rebuild(path, rules="main")
    assert [f for f in report.findings if f.kind == "reduction-fails"] == []
    assert report.drift[0].missing == 2
    assert len(snapshots_of(path, "missing", "stored")) == 2
    assert check(path, rules="main").drifts == 0
    assert check(path).drifts == 0  # what it fails at today is not called wrong


def make_shared(folder: Path) -> Path:
    """Return a database in which one user merged an entity that another had observed, too."""
    return make_database(
        folder / "shared.db",
        {
            "entities": [
                entity("one"),
                entity("two", merged_to_entity_id="one", merged_at="2026-02-03T00:00:00.000Z"),
            ],
            "entity_merges": [
                {"id": "m", "user_id": "u", "from_entity_id": "two", "to_entity_id": "one"}
            ],
            "observations": [
                observation("o1", "one", user_id="u"),
                observation("o2", "two", user_id=THEIRS),
            ],
        },
    )


def test_what_others_left_on_a_merged_entity_has_a_snapshot_up_to_0_22_only(
    tmp_path: Path,
) -> None:
    path = make_shared(tmp_path)
    rebuild(path)
    assert len(snapshots_of(path, "two")) == 1
    open_with_a_newer(path)
    assert check(path).drifts == 0
    assert rebuild(path).outcome == "unchanged"
    assert len(snapshots_of(path, "two")) == 1
    rebuild(path, rules="0.23")
    assert snapshots_of(path, "two") == []
    assert check(path).drifts == 0
