"""Appending what is new: once, whole, and whatever happens in between."""

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.archive.append import ArchiveRequest, append_database, plan_archive
from neotoma_core.archive_tables.reading import read_table, table_files
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.archive_tables.writing import version_of
from neotoma_core.errors import ArchiveDamaged, ArchiveError, ArchiveForeign
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.private_copy import private_copy
from tests.conftest import NOW
from tests.support.archiving import archive, log_of, of_table, rebuild
from tests.support.databases import entity, insert, make_database, observation, source


def write(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, values)
        connection.commit()


def add(path: Path, table: str, row: object) -> None:
    with closing(sqlite3.connect(path)) as connection:
        insert(connection, table, row)  # type: ignore[arg-type]  # a test's own row
        connection.commit()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return make_database(
        tmp_path / "neotoma.db",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [observation("o1"), observation("o2", "e2")],
            "sources": [source("s1")],
        },
    )


def versions(database: Path) -> int:
    """Return the number of commits of the observations' table."""
    return version_of(open_archive(database.parent / "archive"), "observations")


def test_the_incident_is_archived_whole_and_comes_back(incident: Path, tmp_path: Path) -> None:
    target = incident / "backups" / "neotoma.prod.db.db"
    report = archive(target, tmp_path / "archive")
    assert of_table(report, "observations").appended == 6_174
    back = rebuild(tmp_path / "archive", tmp_path / "back.db")
    assert log_of(back) == log_of(target)


def test_a_second_run_with_nothing_new_commits_nothing(database: Path) -> None:
    archive(database)
    before = versions(database)
    report = archive(database)
    assert (report.outcome, report.appended, report.archived_at) == ("unchanged", 0, None)
    assert versions(database) == before


def test_only_what_is_new_is_appended(database: Path) -> None:
    archive(database)
    add(database, "observations", observation("o3"))
    report = archive(database)
    assert (report.appended, of_table(report, "observations").appended) == (1, 1)


def test_a_row_that_changed_in_place_is_a_new_version(database: Path) -> None:
    archive(database)
    write(database, "UPDATE observations SET entity_id = 'e2' WHERE id = 'o1'")
    report = archive(database)
    assert (of_table(report, "observations").changed, report.gone) == (1, 0)
    rows = read_table(open_archive(database.parent / "archive"), "observations").rows
    assert rows.filter(pl.col("id") == "o1")["entity_id"].sort().to_list() == ["e1", "e2"]


def test_a_row_that_changed_back_is_a_version_again(database: Path) -> None:
    archive(database)
    for owner in ("e2", "e1"):
        write(database, "UPDATE observations SET entity_id = ? WHERE id = 'o1'", owner)
        assert of_table(archive(database), "observations").appended == 1
    assert archive(database).outcome == "unchanged"


def test_a_row_that_is_gone_is_noted_and_stays_in_the_archive(
    database: Path, tmp_path: Path
) -> None:
    archive(database)
    write(database, "DELETE FROM observations WHERE id = 'o1'")
    report = archive(database)
    assert (of_table(report, "observations").gone, report.appended) == (1, 0)
    rows = read_table(open_archive(database.parent / "archive"), "observations").rows
    assert set(rows["id"]) == {"o1", "o2"}
    assert log_of(rebuild(database.parent / "archive", tmp_path / "b.db")) == log_of(database)
    assert archive(database).outcome == "unchanged"


def test_the_database_is_not_touched(database: Path) -> None:
    before = (database.read_bytes(), database.stat().st_mtime_ns)
    archive(database)
    assert (database.read_bytes(), database.stat().st_mtime_ns) == before


def test_a_plan_writes_nothing(database: Path, tmp_path: Path) -> None:
    with private_copy(Whereabouts(database, tmp_path / "v"), NOW) as copy:
        report = plan_archive(copy, ArchiveRequest(tmp_path / "archive"), Silent())
    assert (report.outcome, report.appended) == ("planned", 5)
    assert not (tmp_path / "archive").exists()


def test_an_archive_of_another_database_is_refused_by_what_is_in_it(
    database: Path, tmp_path: Path
) -> None:
    archive(database)
    other = make_database(
        tmp_path / "other.db", {"entities": [entity("e1")], "observations": [observation("x1")]}
    )
    before = versions(database)
    with pytest.raises(ArchiveForeign, match="another database"):
        archive(other, database.parent / "archive")
    assert versions(database) == before
    moved = database.rename(tmp_path / "moved.db")
    assert archive(moved, tmp_path / "archive").outcome == "unchanged"


def test_a_wiped_database_is_taken_for_the_same_if_the_user_says_so(
    database: Path, tmp_path: Path
) -> None:
    archive(database)
    wiped = make_database(tmp_path / "wiped.db", {"observations": [observation("new")]})
    report = archive(wiped, database.parent / "archive", same_database=True)
    assert of_table(report, "observations").gone == 2


def test_of_two_archivers_at_once_both_succeed_and_nothing_is_there_twice(
    database: Path, tmp_path: Path
) -> None:
    reports = []

    def run(number: int) -> None:
        vault = tmp_path / f"vault-{number}"
        now = NOW + timedelta(seconds=number)
        with private_copy(Whereabouts(database, vault), now) as copy:
            reports.append(append_database(copy, ArchiveRequest(tmp_path / "archive"), Silent()))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.outcome for report in reports) == ["archived", "unchanged", "unchanged"]
    rows = read_table(open_archive(tmp_path / "archive"), "observations").rows
    assert sorted(rows["id"]) == ["o1", "o2"]


def test_the_clock_going_back_does_not_make_older_versions_count(
    database: Path, tmp_path: Path
) -> None:
    archive(database, now=NOW)
    write(database, "UPDATE observations SET fields = '{}' WHERE id = 'o1'")
    archive(database, now=NOW - timedelta(days=30))
    assert log_of(rebuild(database.parent / "archive", tmp_path / "b.db")) == log_of(database)


@pytest.mark.parametrize("harm", ["missing", "damaged", "cut"])
def test_a_harmed_file_is_named_and_everything_else_is_readable(
    harm: str, database: Path, tmp_path: Path
) -> None:
    archive(database)
    place = database.parent / "archive"
    (file,) = table_files(open_archive(place), "observations")
    if harm == "missing":
        file.path.unlink()
    elif harm == "damaged":
        raw = bytearray(file.path.read_bytes())
        raw[8:200] = b"\x00" * 192
        file.path.write_bytes(bytes(raw))
    else:
        file.path.write_bytes(file.path.read_bytes()[:-100])
    verified = verify_archive(place, Silent())
    assert [f.subject for f in verified.findings] == [str(file.path)]
    assert verified.outcome == "damaged"
    assert read_table(open_archive(place), "entities").require_whole().height == 2
    with pytest.raises(ArchiveDamaged, match=file.path.name):
        rebuild(place, tmp_path / "b.db")
    if harm == "damaged":
        return
    report = archive(database)  # what the file held is still in the database
    assert of_table(report, "observations").appended == 2
    assert {f.kind for f in report.findings} == {"archive-damaged"}


def test_a_row_that_is_not_what_was_archived_is_found(database: Path) -> None:
    archive(database)
    place = database.parent / "archive"
    (file,) = table_files(open_archive(place), "entities")
    rows = pl.read_parquet(file.path)
    changed = rows.with_columns(canonical_name=pl.lit("z"))
    changed.write_parquet(file.path, compression="zstd")
    found = verify_archive(place, Silent()).findings
    assert [f.subject for f in found] == [str(file.path)]


def test_what_is_no_archive_is_refused(database: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(ArchiveError, match="holds other files"):
        archive(database, tmp_path / "full")
    with pytest.raises(ArchiveError, match=r"no archive\.json"):
        open_archive(tmp_path / "full")
    with pytest.raises(ArchiveError, match="no such folder"):
        open_archive(tmp_path / "nowhere")


def test_a_newer_midden_wrote_it(database: Path) -> None:
    archive(database)
    description = database.parent / "archive" / "archive.json"
    description.write_text(description.read_text().replace('"format":1', '"format":2'))
    with pytest.raises(ArchiveError, match="newer midden"):
        archive(database)


def test_a_table_that_a_later_format_wrote_is_named(database: Path) -> None:
    archive(database)
    log = database.parent / "archive" / "sources" / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text().replace("archive format 1", "archive format 9"))
    with pytest.raises(ArchiveError, match=r"sources: a later format"):
        archive(database)


def test_no_value_of_a_memory_is_in_the_log_of_a_table(database: Path) -> None:
    add(database, "observations", observation("o9", fields='{"title":"planted"}'))
    archive(database)
    logs = [p for p in (database.parent / "archive").rglob("_delta_log/*") if p.is_file()]
    said = b"".join(log.read_bytes() for log in logs)
    assert b"observed_at" in said
    assert b"planted" not in said
