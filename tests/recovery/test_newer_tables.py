"""Tables of the releases after 0.22.1: what is merged, what is secret, what stays erased."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.row_versions.columns import ARCHIVED
from tests.conftest import NOW, Recover
from tests.neotoma.test_tables import columns_of, indexes_of
from tests.support.archiving import archive, log_of, rebuild
from tests.support.backing_up import PERMISSIVE
from tests.support.databases import (
    USER,
    Row,
    entity,
    insert_all,
    make_database,
    observation,
    read_all,
)
from tests.support.versions import NEWEST, VERSIONS, make_version

TYPES = "relationship_type_registry"
PEOPLE = "member_attribution_ids"
BUILT_IN = ("PART_OF", "DEPENDS_ON", "REFERS_TO")


def kind_of_edge(name: str, **cells: object) -> dict[str, object]:
    return {
        "id": f"reltype_{name}_global_global_builtin-1.0",
        "relationship_type": name,
        "registry_version": "builtin-1.0",
        "definition": '{"acyclic":true}',
        "state": "active",
        "created_at": "2026-09-20T00:00:00.000Z",
        "scope": "global",
        **cells,
    }


def seed(path: Path, day: int, **more: list[dict[str, object]]) -> Path:
    """Return a database as a server of 0.25 left it that first started on a day of October."""
    at = f"2026-10-{day:02}T00:00:00.000Z"
    rows: dict[str, Iterable[Row]] = {
        TYPES: [kind_of_edge(name, created_at=at) for name in BUILT_IN],
        "entities": [entity("e1")],
        "observations": [observation("o1")],
        **more,
    }
    return make_version(path, NEWEST, rows)


def rows_of(path: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def test_two_seeded_databases_merge_safely_without_a_conflict(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = seed(tmp_path / "target.db", 1)
    own = kind_of_edge("MINE", id="reltype_MINE_user_u_2026", user_id=USER, scope="user")
    backup = seed(tmp_path / "backup.db", 2)
    insert_all(backup, {TYPES: [own]})
    before = rows_of(target, TYPES)
    report = run_recover(target, backup, mode="safe")
    assert (report.outcome, report.conflicts.rows) == ("published", 0)
    assert [row for row in rows_of(target, TYPES) if row in before] == before
    assert len(rows_of(target, TYPES)) == len(BUILT_IN) + 1
    assert run_recover(target, backup, mode="safe").outcome == "unchanged"


@pytest.mark.parametrize("definition", ["{", "", "[1", "null"])
def test_a_definition_that_is_no_json_is_carried_as_it_is(
    definition: str, tmp_path: Path, run_recover: Recover
) -> None:
    backup = seed(tmp_path / "backup.db", 2)
    broken = kind_of_edge("ODD", id="odd", definition=definition)
    insert_all(backup, {TYPES: [broken]})
    target = make_version(tmp_path / "target.db", VERSIONS[-4], {"entities": [entity("e2")]})
    assert run_recover(target, backup).outcome == "published"
    assert rows_of(target, TYPES) == rows_of(backup, TYPES)
    with closing(sqlite3.connect(target)) as ours, closing(sqlite3.connect(backup)) as theirs:
        assert columns_of(ours, TYPES) == columns_of(theirs, TYPES)
        assert indexes_of(ours, TYPES) == indexes_of(theirs, TYPES)


def test_an_old_target_and_old_backups_get_nothing_of_a_later_release(
    tmp_path: Path, run_recover: Recover
) -> None:
    backup = make_database(tmp_path / "backup.db", {"observations": [observation("o1")]})
    target = make_database(tmp_path / "target.db", {"observations": [observation("o2")]})
    new = tmp_path / "new.db"
    run_recover(target, backup)
    run_recover(new, backup)
    for path in (target, new):
        with closing(sqlite3.connect(path)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        assert not names & {TYPES, PEOPLE, "mcp_oauth_codes", "idx_entity_snapshots_user_type"}


SECRETS: dict[str, list[dict[str, object]]] = {
    "mcp_oauth_codes": [
        {"id": "c", "code": "planted-code", "code_challenge": "x", "connection_id": "k"}
    ],
    PEOPLE: [{"local_user_id": USER, "attribution_id": "anon-1", "created_at": "2026"}],
}


def test_codes_and_people_are_neither_merged_nor_archived_nor_listed(
    tmp_path: Path, run_recover: Recover
) -> None:
    backup = seed(tmp_path / "backup.db", 2, **SECRETS)
    target = seed(tmp_path / "target.db", 1)
    insert_all(backup, {"observations": [observation("o2")]})
    report = run_recover(target, backup)
    assert report.outcome == "published"
    assert [rows_of(target, name) for name in SECRETS] == [[], []]
    assert not {table.name for table in ARCHIVED} & {*SECRETS}
    assert "planted-code" not in report.to_json()


def test_people_are_not_merged_even_where_credentials_are_asked_for(tmp_path: Path) -> None:
    backup = seed(tmp_path / "backup.db", 2, **SECRETS)
    target = seed(tmp_path / "target.db", 1)
    request = RecoverRequest(target, (backup,), tmp_path / "vault", include_auth=True)
    with recovery_run(request, NOW) as run:
        recover(run, lambda _: True, Silent())
    assert rows_of(target, PEOPLE) == []


def test_erasing_a_user_erases_who_the_pseudonym_stands_for(tmp_path: Path) -> None:
    target = seed(tmp_path / "target.db", 1, **SECRETS)
    another = {"local_user_id": "u2", "attribution_id": "anon-2", "created_at": "2026"}
    insert_all(target, {PEOPLE: [another]})
    request = EraseRequest(target, tmp_path / "vault", users=(USER,))
    with erase_run(request, NOW) as run:
        assert erase(run, lambda _: True, Silent(), PERMISSIVE).outcome == "erased"
    assert [row[0] for row in rows_of(target, PEOPLE)] == ["u2"]


def test_an_archive_gives_back_the_tables_and_the_release(tmp_path: Path) -> None:
    original = seed(tmp_path / "original.db", 3)
    archive(original, tmp_path / "archive")
    back = rebuild(tmp_path / "archive", tmp_path / "back.db")
    assert log_of(back) == log_of(original)
    with closing(sqlite3.connect(back)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert {"idx_entity_snapshots_user_type", "idx_rel_type_registry_unique"} <= names
    assert read_all(back)[TYPES] == read_all(original)[TYPES]


def test_an_archive_of_an_older_database_gives_back_an_older_one(tmp_path: Path) -> None:
    original = make_database(tmp_path / "old.db", {"observations": [observation("o1")]})
    archive(original, tmp_path / "archive")
    back = rebuild(tmp_path / "archive", tmp_path / "back.db")
    with closing(sqlite3.connect(back)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert not names & {TYPES, PEOPLE, "idx_entity_snapshots_user_type"}
