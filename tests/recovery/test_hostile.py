"""Databases from outside: what they hold is data, and nothing in them is run."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import BackupUnreadable, NotNeotoma, TargetError
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.sqlite.arrow import arrow_connection, fetch, immutable_uri
from neotoma_core.sqlite.inspection import inspect_database
from neotoma_core.sqlite.opening import connect_read_only
from tests.conftest import Recover
from tests.support.carrying import rows, run
from tests.support.databases import count, entity, make_database, observation, read_all
from tests.support.rebuilding import rebuild

LOG = {
    "entities": [entity("e1")],
    "observations": [observation("o1"), observation("o2")],
}


def not_carried(report: RecoveryReport) -> dict[str, str]:
    return {f.subject: f.detail for f in report.findings if f.kind == "not-carried"}


def forge(path: Path, *rows_of_schema: tuple[str, str, str, int, str]) -> Path:
    """Write rows into SQLite's own schema table, past all its checks."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.executemany("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", rows_of_schema)
    return path


def with_function(path: Path, *statements: str) -> Path:
    """Execute statements on a database by somebody who has the function ``evil``."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.create_function("evil", -1, lambda *_: 1, deterministic=True)
        for statement in statements:
            connection.execute(statement)
    return path


def test_triggers_and_views_of_a_backup_are_neither_run_nor_copied(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db", {"observations": [observation("mine")]})
    backup = run(
        make_database(tmp_path / "backup.db", LOG),
        "CREATE TRIGGER wipe AFTER INSERT ON observations BEGIN DELETE FROM observations; END",
        "CREATE VIEW peek AS SELECT * FROM observations",
        "CREATE VIEW \"odd\n\x1b[2Jname\" AS SELECT load_extension('x')",
    )
    report = run_recover(target, backup)
    assert count(target, "observations") == 3
    assert rows(target, "SELECT name FROM sqlite_schema WHERE type IN ('view', 'trigger')") == []
    assert not_carried(report) == {
        "backup-1: wipe": "a trigger; neither run nor copied",
        "backup-1: peek": "a view; neither run nor copied",
        "backup-1: odd\n\x1b[2Jname": "a view; neither run nor copied",
    }


def test_triggers_of_the_target_do_not_act_and_are_there_afterwards(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = run(
        make_database(tmp_path / "target.db", {"observations": [observation("mine")]}),
        "CREATE TRIGGER wipe AFTER INSERT ON observations BEGIN DELETE FROM observations; END",
        "CREATE TRIGGER keep BEFORE DELETE ON entity_snapshots BEGIN SELECT RAISE(FAIL, 'no'); END",
    )
    before = rows(target, "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger'")
    run_recover(target, make_database(tmp_path / "backup.db", LOG))
    assert count(target, "observations") == 3
    query = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger'"
    assert sorted(rows(target, query)) == sorted(before)


@pytest.mark.parametrize("required", ["observations", "entities"])
def test_a_backup_with_a_view_in_the_place_of_a_required_table_is_refused(
    required: str, tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db", LOG)
    before = read_all(target)
    backup = run(
        make_database(tmp_path / "backup.db", LOG),
        f"ALTER TABLE {required} RENAME TO hidden",
        f"CREATE VIEW {required} AS SELECT * FROM hidden",
    )
    with pytest.raises(NotNeotoma, match=f"{required} is a view"):
        run_recover(target, backup)
    assert read_all(target) == before


def test_a_computed_column_is_no_log(tmp_path: Path, run_recover: Recover) -> None:
    target = make_database(tmp_path / "target.db")
    backup = run(
        make_database(tmp_path / "backup.db"),
        "DROP TABLE observations",
        "CREATE TABLE observations (id TEXT PRIMARY KEY, entity_id TEXT, fields AS (upper(id)))",
    )
    with pytest.raises(NotNeotoma, match=r"observations\.fields is a column computed"):
        run_recover(target, backup)


@pytest.mark.parametrize("name", ["observations", "extra"])
def test_a_virtual_table_is_never_opened(name: str, tmp_path: Path, run_recover: Recover) -> None:
    target = make_database(tmp_path / "target.db")
    backup = run(
        make_database(tmp_path / "backup.db", LOG),
        *([f"DROP TABLE {name}"] if name == "observations" else []),
        f"CREATE VIRTUAL TABLE {name} USING fts5(id, entity_id, fields)",
        f"INSERT INTO {name} VALUES ('v', 'e1', '{{}}')",
    )
    if name == "observations":
        with pytest.raises(NotNeotoma, match="observations is a virtual table"):
            run_recover(target, backup)
        return
    report = run_recover(target, backup)
    assert report.outcome == "published"
    assert not_carried(report) == {"backup-1: extra": "a virtual table; neither run nor copied"}
    shadows = {c.table: tuple(c.reasons) for c in report.tables if c.table.startswith("extra_")}
    assert set(shadows) >= {"extra_data", "extra_content", "extra_config"}
    assert set(shadows.values()) == {("belongs to the virtual table extra",)}
    assert not any(name.startswith("extra") for name in read_all(target))


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIRTUAL TABLE x_vec USING vec0(e float[4])",
        "create /**/ virtual table x_vec USING vec0(e)",
    ],
)
def test_a_virtual_table_whose_module_is_missing_is_named(
    sql: str, tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db")
    backup = run(
        make_database(tmp_path / "backup.db", LOG),
        "CREATE TABLE x_vec_chunks (id INTEGER PRIMARY KEY, data BLOB)",
        "INSERT INTO x_vec_chunks VALUES (1, x'00')",
        "CREATE TABLE x_vector (id INTEGER PRIMARY KEY)",
        "INSERT INTO x_vector VALUES (1)",
    )
    forge(backup, ("table", "x_vec", "x_vec", 0, sql))
    report = run_recover(target, backup)
    counts = {c.table: c for c in report.tables}
    assert counts["x_vec_chunks"].reasons == {"belongs to the virtual table x_vec": 1}
    assert counts["x_vector"].inserted == 1
    assert "backup-1: x_vec" in not_carried(report)


def test_a_table_that_turned_virtual_behind_sqlites_back_is_not_opened(tmp_path: Path) -> None:
    backup = run(make_database(tmp_path / "backup.db", LOG), "CREATE TABLE extra (a)")
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE extra USING gone(a)' "
            "WHERE name = 'extra'"
        )
    with closing(connect_read_only(backup)) as connection:
        found = inspect_database(connection, backup)
    assert [(other.name, other.what) for other in found.others] == [("extra", "a virtual table")]
    assert "extra" not in {table.name for table in found.tables}


def test_the_vector_index_of_neotoma_is_no_news(tmp_path: Path, run_recover: Recover) -> None:
    target = make_database(tmp_path / "target.db")
    shadow = "CREATE TABLE entity_embeddings_vec_chunks (chunk_id INTEGER PRIMARY KEY, v BLOB)"
    vec0 = "CREATE VIRTUAL TABLE entity_embeddings_vec USING vec0(embedding float[1536])"
    for path in (target, backup := make_database(tmp_path / "backup.db", LOG)):
        run(path, shadow, "INSERT INTO entity_embeddings_vec_chunks VALUES (1, x'00')")
        forge(path, ("table", "entity_embeddings_vec", "entity_embeddings_vec", 0, vec0))
    report = run_recover(target, backup)
    assert report.outcome == "published"
    assert not_carried(report) == {}
    (counts,) = (c for c in report.tables if c.table == "entity_embeddings_vec_chunks")
    assert [*counts.reasons] == ["derived: Neotoma rebuilds it"]
    assert rebuild(target).outcome == "unchanged"


HOSTILE_TABLES = {
    "check": "CREATE TABLE extra (id TEXT PRIMARY KEY, v TEXT CHECK (evil(v)))",
    "generated": "CREATE TABLE extra (id TEXT PRIMARY KEY, v TEXT, w AS (evil(v)) NOT NULL)",
    "stored": "CREATE TABLE extra (id TEXT PRIMARY KEY, v TEXT, w AS (evil(v)) STORED)",
    "default": "CREATE TABLE extra (id TEXT PRIMARY KEY, v TEXT DEFAULT (evil(1)))",
    "quote": 'CREATE TABLE extra (id TEXT PRIMARY KEY, v "TEXT); DROP TABLE entities; --")',
}


@pytest.mark.parametrize("kind", HOSTILE_TABLES)
def test_no_expression_of_a_backup_is_evaluated(
    kind: str, tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db", {"entities": [entity("t")]})
    backup = with_function(
        make_database(tmp_path / "backup.db", LOG),
        HOSTILE_TABLES[kind],
        "CREATE INDEX by_evil ON extra (evil(v))",
        "CREATE INDEX by_evil2 ON observations (evil(fields))",
        "INSERT INTO extra (id, v) VALUES ('a', 'b')",
    )
    report = run_recover(target, backup)
    assert report.outcome == "published"
    assert rows(target, "SELECT * FROM extra") == [("a", "b")]
    assert count(target, "entities") == 2
    ((sql,),) = rows(target, "SELECT sql FROM sqlite_schema WHERE name = 'extra'")
    assert "evil" not in str(sql)
    assert "DROP" not in str(sql)
    if kind in {"generated", "stored"}:
        assert "backup-1: extra.w" in not_carried(report)


def test_a_table_without_row_numbers_is_named(tmp_path: Path, run_recover: Recover) -> None:
    target = make_database(tmp_path / "target.db")
    backup = run(
        make_database(tmp_path / "backup.db", LOG),
        "CREATE TABLE extra (id TEXT PRIMARY KEY) WITHOUT ROWID",
        "INSERT INTO extra VALUES ('a')",
    )
    report = run_recover(target, backup)
    (counts,) = (c for c in report.tables if c.table == "extra")
    assert counts.reasons == {"a table WITHOUT ROWID": 1}


def test_text_of_another_encoding_is_refused(tmp_path: Path, run_recover: Recover) -> None:
    backup = tmp_path / "wide.db"
    run(
        backup,
        "PRAGMA encoding = 'UTF-16le'",
        "CREATE TABLE observations (id TEXT, entity_id TEXT, fields TEXT)",
        "CREATE TABLE entities (id TEXT)",
    )
    with pytest.raises(BackupUnreadable, match="UTF-16le"):
        run_recover(make_database(tmp_path / "target.db"), backup)


OCCUPIED = {
    "view": "CREATE VIEW timeline_events AS SELECT id FROM sources",
    "virtual": "CREATE VIRTUAL TABLE timeline_events USING fts5(id)",
    "without rowid": "CREATE TABLE timeline_events (id TEXT PRIMARY KEY) WITHOUT ROWID",
}


@pytest.mark.parametrize("kind", OCCUPIED)
def test_a_target_with_something_else_in_the_place_of_a_table_is_refused(
    kind: str, tmp_path: Path, run_recover: Recover
) -> None:
    target = run(
        make_database(tmp_path / "target.db"), "DROP TABLE timeline_events", OCCUPIED[kind]
    )
    before = target.read_bytes()
    with pytest.raises(TargetError, match="timeline_events"):
        run_recover(target, make_database(tmp_path / "backup.db", LOG))
    with pytest.raises(TargetError, match="timeline_events"):
        rebuild(target)
    assert target.read_bytes() == before


def test_a_rule_of_the_targets_own_is_named_and_nothing_is_written(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = run(
        make_database(tmp_path / "target.db"),
        "CREATE UNIQUE INDEX one_only ON observations (entity_type)",
    )
    before = target.read_bytes()
    with pytest.raises(TargetError, match="its own rules refuse rows"):
        run_recover(target, make_database(tmp_path / "backup.db", LOG))
    assert target.read_bytes() == before


def test_what_is_opened_does_not_trust_its_schema(tmp_path: Path) -> None:
    database = make_database(tmp_path / "a.db")
    with closing(connect_read_only(database)) as connection:
        for pragma, value in (("trusted_schema", 0), ("cell_size_check", 1)):
            assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)
    with arrow_connection(immutable_uri(database)) as arrow:
        for pragma, value in (("trusted_schema", 0), ("cell_size_check", 1)):
            assert fetch(arrow, f"PRAGMA {pragma}").to_series().to_list() == [value]
