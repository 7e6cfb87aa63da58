"""An archive as a backup, and as all that is left."""

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.archive.append import ArchiveRequest, append_database
from neotoma_core.archive_tables.reading import table_files
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.errors import BackupDamaged, UsageError
from neotoma_core.export.request import ExportRequest
from neotoma_core.export.steps import export_tables
from neotoma_core.history.reading import entity_history
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
from neotoma_core.row_versions.columns import ARCHIVED
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.private_copy import private_copy
from tests.conftest import NOW, Recover
from tests.support.archiving import archive, log_of, rebuild
from tests.support.databases import count, entity, insert, make_database, observation, read_all
from tests.support.versions import NEWEST, VERSIONS, Version, full_row, make_version


def restore(place: Path, target: Path, **options: object) -> object:
    vault = target.parent / "restore-vault"
    request = RestoreArchiveRequest(place, target, vault, **options)  # type: ignore[arg-type]  # a test's own keywords
    return restore_archive(request, NOW, lambda _: True, Silent())


@pytest.fixture
def both_copies(incident: Path, tmp_path: Path) -> Path:
    """An archive that saw the largest copy, then the one that lived on elsewhere."""
    for name in ("neotoma.prod.db.db", "neotoma.prod 2.db"):
        archive(incident / "backups" / name, tmp_path / "archive")
    return tmp_path / "archive"


def test_the_incident_is_recovered_from_an_archive_alone(
    both_copies: Path, incident: Path, run_recover: Recover
) -> None:
    files = {p: p.read_bytes() for p in both_copies.rglob("*") if p.is_file()}
    report = run_recover(incident / "data" / "neotoma.prod.db", both_copies)
    after = report.after
    assert (after.observations, after.entities) == (6_296, 3_951)
    assert (after.entity_snapshots, after.relationship_snapshots) == (3_939, 400)
    assert report.raw_files.damaged == ()
    assert {p: p.read_bytes() for p in both_copies.rglob("*") if p.is_file()} == files


def test_an_archive_takes_part_beside_other_backups(
    incident: Path, tmp_path: Path, run_recover: Recover
) -> None:
    archive(incident / "backups" / "neotoma.prod 2.db", tmp_path / "archive")
    target = incident / "data" / "neotoma.prod.db"
    report = run_recover(target, incident / "backups" / "neotoma.prod.db.db", tmp_path / "archive")
    assert [backup.adds for backup in report.backups] == [6_112, 100]


def test_a_damaged_archive_is_a_damaged_backup(tmp_path: Path, run_recover: Recover) -> None:
    rows = {"entities": [entity("e1")], "observations": [observation("o1")]}
    place = tmp_path / "archive"
    archive(make_database(tmp_path / "old" / "db.sqlite", rows), place)
    target = make_database(tmp_path / "data" / "db.sqlite")
    (file,) = table_files(open_archive(place), "entities")
    file.path.unlink()
    with pytest.raises(BackupDamaged, match=file.path.name):
        run_recover(target, place)
    report = run_recover(target, place, skip_unreadable=True)
    assert "archive-damaged" in {finding.kind for finding in report.findings}
    assert count(target, "observations") == 1


def test_a_database_is_restored_from_nothing_but_its_archive(
    incident: Path, tmp_path: Path, run_recover: Recover
) -> None:
    target = incident / "data" / "neotoma.prod.db"
    run_recover(target, incident / "backups" / "neotoma.prod.db.db")
    archive(target, tmp_path / "archive")
    lost = tmp_path / "lost" / "neotoma.prod.db"
    lost.parent.mkdir()
    restore(tmp_path / "archive", lost)
    assert log_of(lost) == log_of(target)
    assert read_all(lost)["entity_snapshots"] == read_all(target)["entity_snapshots"]


def test_a_restore_as_of_a_time_is_the_database_of_then(tmp_path: Path) -> None:
    day = timedelta(days=1)
    times = [(NOW + number * day).isoformat() for number in range(3)]
    database = make_database(
        tmp_path / "db.sqlite",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [observation("o1", created_at=times[0], observed_at=times[0])],
        },
    )
    archive(database, now=NOW)
    then = log_of(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE observations SET entity_id = 'e2' WHERE id = 'o1'")
        insert(connection, "observations", observation("o2", created_at=times[1]))
        connection.commit()
    archive(database, now=NOW + day)
    now = log_of(database)
    place = tmp_path / "archive"
    restore(place, tmp_path / "then.db", as_of=(NOW + timedelta(hours=1)).isoformat())
    restore(place, tmp_path / "now.db", as_of=times[2])
    assert log_of(tmp_path / "then.db") == then
    assert log_of(tmp_path / "now.db") == now
    with pytest.raises(UsageError, match="it has no row of 2020-01-01; choose another --as-of"):
        restore(place, tmp_path / "never.db", as_of="2020-01-01")


def test_what_is_said_of_an_archive_without_rows_is_true(tmp_path: Path) -> None:
    database = make_database(tmp_path / "db.sqlite")
    archive(database)
    place, there = tmp_path / "archive", "name another archive, or a backup"
    for asked in ({}, {"as_of": "2020-01-01"}):
        with pytest.raises(UsageError, match=f"archive: it has no row of any time; {there}"):
            restore(place, tmp_path / "new.db", **asked)
    with closing(sqlite3.connect(database)) as connection, connection:
        insert(connection, "observations", observation("o1"))
    archive(database, now=NOW + timedelta(days=1))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM observations")
    archive(database, now=NOW + timedelta(days=2), same_database=True)
    with pytest.raises(UsageError, match="its last run found no row; name an earlier time"):
        restore(place, tmp_path / "new.db")
    restore(place, tmp_path / "new.db", as_of=(NOW + timedelta(days=1, hours=1)).isoformat())
    assert count(tmp_path / "new.db", "observations") == 1


def test_the_undo_of_a_restore_puts_the_target_back(tmp_path: Path) -> None:
    rows = {"entities": [entity("e1")], "observations": [observation("o1")]}
    database = make_database(tmp_path / "db.sqlite", rows)
    archive(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM observations")
        connection.commit()
    wiped = database.read_bytes()
    report = restore(tmp_path / "archive", database)
    assert count(database, "observations") == 1
    evidence = tmp_path / "restore-vault" / "evidence"
    (run,) = evidence.iterdir()
    assert (run / "target" / "db.sqlite").read_bytes() == wiped
    assert str(run) in str(getattr(report, "undo", ""))


def recover_and_archive(target: Path, backup: Path, vault: Path) -> RecoveryReport:
    request = RecoverRequest(target, (backup,), vault, archived=True)
    with recovery_run(request, NOW) as run:
        return recover(run, lambda _: True, Silent())


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    target = make_database(tmp_path / "data" / "db.sqlite", {"entities": [entity("e1")]})
    rows = {"entities": [entity("e2")], "observations": [observation("o2", "e2")]}
    return target, make_database(tmp_path / "backup.sqlite", rows)


def test_a_recovery_appends_to_the_archive_of_its_vault(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    report = recover_and_archive(*pair, tmp_path / "vault")
    assert report.archived is not None
    assert (report.archived.appended, report.archived.archive) == (
        3,
        str(tmp_path / "vault" / "archive"),
    )
    assert archive(pair[0], tmp_path / "vault" / "archive").outcome == "unchanged"


def test_a_failure_of_the_archive_is_a_finding_and_the_recovery_stands(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    place = tmp_path / "vault" / "archive"
    vault = tmp_path / "vault"
    recover_and_archive(pair[0], pair[1], vault)
    shutil.rmtree(place)
    place.write_text("in the way")
    more = make_database(tmp_path / "more.sqlite", {"observations": [observation("o3", "e1")]})
    report = recover_and_archive(pair[0], more, vault)
    assert report.outcome == "published"
    (finding,) = (f for f in report.findings if f.kind == "archive-failed")
    assert str(place) in finding.subject
    assert count(pair[0], "observations") == 2


@pytest.mark.parametrize("version", [VERSIONS[0], NEWEST], ids=lambda version: version.name)
def test_a_database_of_any_version_comes_back_with_the_same_hashes(
    version: Version, tmp_path: Path
) -> None:
    tables = [table for table in ARCHIVED if table.name in version.columns]
    rows = {table.name: [full_row(table, version, f"{table.name}-1")] for table in tables}
    archive(make_version(tmp_path / "old.db", version, rows, shuffled=1), tmp_path / "archive")
    back = rebuild(tmp_path / "archive", tmp_path / "back.db")
    assert archive(back, tmp_path / "archive").outcome == "unchanged"


def test_what_was_erased_is_in_nothing_that_is_made_from_an_archive(tmp_path: Path) -> None:
    rows = {
        "entities": [entity("e1"), entity("e2")],
        "observations": [observation("o1"), observation("o2", "e2")],
    }
    database = make_database(tmp_path / "db.sqlite", rows)
    vault = tmp_path / "vault"
    place = vault / "archive"
    with private_copy(Whereabouts(database, vault), NOW) as copy:
        append_database(copy, ArchiveRequest(place), Silent())
    with erase_run(EraseRequest(database, vault, entities=("e1",)), NOW) as run:
        erased = erase(run, lambda _: True, Silent())
    assert str(place) in {holding.folder for holding in erased.holding}
    request = RestoreArchiveRequest(place, tmp_path / "back.db", vault)
    restore_archive(request, NOW, lambda _: True, Silent())
    assert count(tmp_path / "back.db", "observations") == 1
    export_tables(ExportRequest(to=tmp_path / "out", vault=vault, archive=place), NOW, Silent())
    observations = pl.read_parquet(tmp_path / "out" / "observations.parquet")
    assert observations["observation_id"].to_list() == ["o2"]
    with pytest.raises(UsageError, match="no observation of entity e1"):
        entity_history(place, "e1")
    fresh = RecoverRequest(tmp_path / "new.db", (place,), vault)
    with recovery_run(fresh, NOW) as current:
        recover(current, lambda _: True, Silent())
    assert count(tmp_path / "new.db", "observations") == 1
