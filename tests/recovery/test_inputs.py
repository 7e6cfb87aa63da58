"""Inputs: read with their logs, read while a server writes, and never changed."""

import hashlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import Recover
from tests.support.databases import count, entity, make_database, observation

SERVER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL").fetchone()
connection.execute("PRAGMA wal_autocheckpoint = 0").fetchone()
connection.execute("INSERT INTO observations (id, entity_id, entity_type, schema_version, "
                   "observed_at, fields) VALUES ('live', 'e1', 'note', '1.0', "
                   "'2026-03-01T00:00:00.000Z', '{\\"title\\":\\"live\\"}')")
print("ready", flush=True)
sys.stdin.readline()
"""


@contextmanager
def server_on(database: Path) -> Iterator[None]:
    """Another process that holds ``database`` open in WAL mode, with a row only in its log."""
    command = [sys.executable, "-c", SERVER, str(database)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.communicate("\n")


def facts_of(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return size, time of change and SHA-256 of every file below ``folder``."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_size,
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("dry_run", [True, False])
def test_no_backup_changes_and_nothing_appears_beside_it(
    incident: Path, run_recover: Recover, *, dry_run: bool
) -> None:
    before = facts_of(incident / "backups")
    target_before = facts_of(incident / "data")
    run_recover(
        incident / "data/neotoma.prod.db",
        incident / "backups/early-march/neotoma.prod.db",
        incident / "backups/neotoma.prod 2.db",
        dry_run=dry_run,
    )
    assert facts_of(incident / "backups") == before
    assert (facts_of(incident / "data") == target_before) == dry_run


def test_a_backup_is_read_with_its_log(incident: Path, run_recover: Recover) -> None:
    target = incident / "data/neotoma.prod.new.db"
    with_log = incident / "backups/early-march/neotoma.prod.db"
    report = run_recover(target, with_log, dry_run=True)
    assert report.backups[0].observations == 4121
    with_log.with_name(with_log.name + "-wal").unlink()
    assert run_recover(target, with_log, dry_run=True).backups[0].observations == 4102


def test_a_target_that_a_server_holds_open_is_read_and_written_consistently(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db", {"entities": [entity("e1")]})
    backup = make_database(tmp_path / "backup.db", {"observations": [observation("o1")]})
    with server_on(target):
        report = run_recover(target, backup)
        assert report.before.observations == 1
        assert report.after.observations == 2
        assert count(target, "observations") == 2


def test_a_backup_that_a_server_holds_open_is_read_with_its_log_and_left_alone(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "a" / "target.db")
    backup = make_database(tmp_path / "b" / "backup.db", {"entities": [entity("e1")]})
    with server_on(backup):
        before = facts_of(backup.parent)
        report = run_recover(target, backup)
        assert facts_of(backup.parent) == before
    assert report.backups[0].observations == 1


def test_evidence_is_byte_exact_and_listed_with_its_hashes(
    incident: Path, run_recover: Recover
) -> None:
    backup = incident / "backups/early-march/neotoma.prod.db"
    report = run_recover(incident / "data/neotoma.prod.db", backup)
    evidence = Path(report.evidence.folder)
    manifest = json.loads((evidence / "manifest.json").read_text())
    listed = {
        f"{database['label']}/{file['name']}": file["sha256"]
        for database in manifest["databases"]
        for file in database["files"]
    }
    copies = {
        str(path.relative_to(evidence)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in evidence.glob("*/*")
    }
    assert listed == copies
    assert set(listed) == {
        "target/neotoma.prod.db",
        "backup-1/neotoma.prod.db",
        "backup-1/neotoma.prod.db-wal",
    }
    assert (evidence / "backup-1/neotoma.prod.db").read_bytes() == backup.read_bytes()


def test_scratch_is_gone_after_a_run(incident: Path, run_recover: Recover, tmp_path: Path) -> None:
    run_recover(incident / "data/neotoma.prod.db", incident / "backups/neotoma.prod 2.db")
    assert list((tmp_path / "vault" / "work").iterdir()) == []


def test_an_older_backup_lacks_columns_and_says_nothing_about_them(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(
        tmp_path / "target.db", {"observations": [observation("o1", identity_basis="schema_rule")]}
    )
    backup = make_database(tmp_path / "old.db", {"observations": [observation("o1")]})
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("ALTER TABLE observations DROP COLUMN identity_basis")
    report = run_recover(target, backup, mode="safe")
    observations = next(c for c in report.tables if c.table == "observations")
    assert (observations.identical, observations.conflict) == (1, 0)


def test_columns_that_only_a_newer_backup_has_are_carried(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db")
    backup = make_database(tmp_path / "new.db", {"observations": [observation("o1")]})
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE observations ADD COLUMN from_the_future")
        connection.execute("UPDATE observations SET from_the_future = x'00ff'")
    run_recover(target, backup)
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT from_the_future FROM observations").fetchall() == [
            (b"\x00\xff",)
        ]


def test_a_target_of_an_older_version_gains_the_columns_its_rows_need(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db")
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE observations DROP COLUMN identity_basis")
        connection.execute("DROP TABLE entity_splits")
    backup = make_database(
        tmp_path / "backup.db", {"observations": [observation("o1", identity_basis="schema_rule")]}
    )
    run_recover(target, backup)
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT identity_basis FROM observations").fetchall() == [
            ("schema_rule",)
        ]
        assert connection.execute("SELECT count(*) FROM entity_splits").fetchall() == [(0,)]
