"""A run completes what an earlier one began, whatever that left, and removes it."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.archive_tables.record import COPY, RECORD
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.report.progress import Silent
from neotoma_core.runs.left_over import find_left_in
from tests.conftest import NOW
from tests.support.archiving import archive, log_of, rebuild
from tests.support.databases import entity, insert, make_database, observation

TABLE = "observations"
DAY = timedelta(days=1)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    rows = {"entities": [entity("e1")], "observations": [observation("o1")]}
    return make_database(tmp_path / "neotoma.db", rows)


def begin_table(place: Path) -> None:
    (place / TABLE).mkdir()


def begin_log(place: Path) -> None:
    (place / TABLE / "_delta_log").mkdir(parents=True)


def begin_commit(place: Path) -> None:
    begin_log(place)
    (place / TABLE / "_delta_log" / "_commit_1f0c.json.tmp").write_text('{"commitInfo')


def begin_file(place: Path) -> None:
    begin_table(place)
    name = "part-00000-63da0cf6-8167-46c0-98a8-affa4b1e23aa-c000.zstd.parquet"
    (place / TABLE / f"{name}#1").write_bytes(b"PAR1")
    (place / TABLE / name).touch()


def begin_record(place: Path) -> None:
    (place / f".{RECORD}.midden.tmp").write_text('{"format":1,')


def lack_description(place: Path) -> None:
    (place / "archive.json").unlink()


def have_only_a_lock(place: Path) -> None:
    for name in ("archive.json", RECORD, COPY):
        (place / name).unlink()


def begin_as_an_older_midden(place: Path) -> None:
    have_only_a_lock(place)
    (place / "archive.json").write_text('{"kind":"midden archive","format":1}')
    begin_log(place)


BEGUN = (
    begin_commit,
    begin_file,
    begin_record,
    lack_description,
    have_only_a_lock,
    begin_as_an_older_midden,
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive whose first run stopped before it committed anything."""
    place = tmp_path_factory.mktemp("empty") / "archive"
    archive(make_database(place.parent / "empty.db"), place)
    return place


@pytest.mark.parametrize("begin", BEGUN)
def test_a_first_run_that_stopped_is_completed(
    begin: Callable[[Path], None], empty: Path, database: Path, tmp_path: Path
) -> None:
    place = shutil.copytree(empty, tmp_path / "archive")
    begin(place)
    assert archive(database, place).outcome == "archived"
    assert log_of(rebuild(place, tmp_path / "back.db")) == log_of(database)
    assert verify_archive(place, Silent()).findings == ()
    assert not [path for path in place.rglob("*") if "tmp" in path.name or "#" in path.name]
    assert archive(database, place).outcome == "unchanged"


def add(database: Path, name: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        insert(connection, TABLE, observation(name))


def stop_before_commit(database: Path, place: Path) -> Path:
    """Archive one observation more, and leave of it what a run leaves that is killed before that.

    Returns the file that holds it.
    """
    archive(database, place, now=NOW)
    before = set((place / TABLE).glob("*.parquet"))
    kept = {name: (place / name).read_bytes() for name in (RECORD, COPY)}
    add(database, "o2")
    archive(database, place, now=NOW + DAY)
    (place / TABLE / "_delta_log" / f"{1:020}.json").unlink()
    for name, content in kept.items():
        (place / name).write_bytes(content)
    (written,) = set((place / TABLE).glob("*.parquet")) - before
    return written


def test_what_is_left_of_a_table_that_lost_its_log_is_not_said_to_go(
    database: Path, tmp_path: Path
) -> None:
    place = tmp_path / "vault" / "archive"
    archive(database, place, now=NOW)
    for entry in (place / TABLE / "_delta_log").iterdir():
        entry.unlink()
    assert find_left_in(tmp_path / "vault") == ()


def test_what_a_killed_run_wrote_is_no_loss_and_goes(database: Path, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    place = vault / "archive"
    written = stop_before_commit(database, place)
    verified = verify_archive(place, Silent())
    assert verified.outcome == "verified"
    assert [(f.kind, f.subject) for f in verified.findings] == [("archive-leftover", str(written))]
    assert [left.path for left in find_left_in(vault)] == [str(written)]
    report = archive(database, place, now=NOW + 2 * DAY)
    assert (report.appended, report.findings) == (1, ())
    assert not written.exists()
    assert find_left_in(vault) == ()
    assert log_of(rebuild(place, tmp_path / "back.db")) == log_of(database)


def test_what_a_killed_run_wrote_stays_where_nothing_else_has_it(
    database: Path, tmp_path: Path
) -> None:
    place = tmp_path / "archive"
    written = stop_before_commit(database, place)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM observations WHERE id = 'o2'")
    report = archive(database, place, now=NOW + 2 * DAY)
    assert [finding.subject for finding in report.findings] == [str(written)]
    assert written.exists()


@pytest.mark.parametrize("step", ["commit", "record"])
def test_a_commit_that_was_not_recorded_is_recorded_by_the_next_run(
    step: str, database: Path, tmp_path: Path
) -> None:
    place = tmp_path / "archive"
    archive(database, place, now=NOW)
    kept = {name: (place / name).read_bytes() for name in (RECORD, COPY)}
    add(database, "o2")
    archive(database, place, now=NOW + DAY)
    for name in (RECORD, COPY) if step == "commit" else (COPY,):
        (place / name).write_bytes(kept[name])
    assert verify_archive(place, Silent()).findings == ()
    assert archive(database, place).outcome == "unchanged"
    known = open_archive(place).commit_of(TABLE)
    assert known is not None
    assert (known.version, known.rows) == (1, 2)
    (place / TABLE / "_delta_log" / f"{1:020}.json").unlink()
    assert verify_archive(place, Silent()).outcome == "damaged"
