"""Compaction: fewer files, the same rows, and nothing gone that anybody may need."""

import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from neotoma_core.archive.compact import CompactRequest, compact_archive, plan_only
from neotoma_core.archive.compaction_plan import LONGEST_WRITER
from neotoma_core.archive.compaction_report import CompactionReport
from neotoma_core.archive_tables.reading import files_of, read_table, table_files
from neotoma_core.archive_tables.rewriting import PINS, fingerprint_of, remove_old
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.documents.document import document
from neotoma_core.errors import ArchiveDamaged, ArchiveError, UsageError
from neotoma_core.report.progress import Silent
from tests.conftest import NOW
from tests.support.archiving import archive, log_of, rebuild
from tests.support.databases import entity, make_database, observation


def compact(place: Path, **options: object) -> CompactionReport:
    request = CompactRequest(place, **options)  # type: ignore[arg-type]  # a test's own keywords
    now = datetime.fromtimestamp(time.time(), UTC)  # old files are removed by the real clock
    return compact_archive(request, now, Silent())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that three runs have appended to, a newer observation sorting before older.

    It is only copied, with the database of each run.
    """
    folder = tmp_path_factory.mktemp("made")
    for run in range(1, 4):
        rows = [observation(f"o{n}", f"e{9 - n}") for n in range(run)]
        database = make_database(
            folder / f"run-{run}.db", {"entities": [entity("e1")], "observations": rows}
        )
        archive(database, folder / "archive", now=NOW + timedelta(days=run))
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "archive"


def rows_of(place: Path) -> pl.DataFrame:
    rows = read_table(open_archive(place), "observations").require_whole()
    return fingerprint_of("observations", rows)


def test_a_plan_writes_nothing(place: Path) -> None:
    before = {p: p.read_bytes() for p in place.rglob("*") if p.is_file()}
    report = plan_only(CompactRequest(place), Silent())
    (table,) = (t for t in report.compacted if t.table == "observations")
    assert (report.outcome, table.files_before, table.files_after) == ("planned", 3, 1)
    assert {p: p.read_bytes() for p in place.rglob("*") if p.is_file()} == before


def test_the_rows_are_the_same_in_one_sorted_file(place: Path, tmp_path: Path) -> None:
    before = rows_of(place)
    compact(place)
    (file,) = table_files(open_archive(place), "observations")
    assert rows_of(place).equals(before)
    assert pl.read_parquet(file.path)["entity_id"].is_sorted()
    assert verify_archive(place, Silent()).outcome == "verified"
    assert log_of(rebuild(place, tmp_path / "b.db")) == log_of(tmp_path / "run-3.db")
    assert archive(tmp_path / "run-3.db", place).outcome == "unchanged"


def test_a_reader_that_began_before_sees_all_rows(place: Path) -> None:
    reader = DeltaTable(str(place / "observations"))
    compact(place)
    files = files_of(reader, place / "observations")
    assert sum(pl.read_parquet(file.path).height for file in files) == 3


def test_old_files_stay_until_their_retention_is_over(place: Path) -> None:
    compact(place)
    files = list((place / "observations").glob("*.parquet"))
    assert len(files) == 4
    assert remove_old(open_archive(place), "observations", 0, apply=True) == 3
    assert len(list((place / "observations").glob("*.parquet"))) == 1
    assert verify_archive(place, Silent()).outcome == "verified"


@pytest.mark.parametrize("name", ["more", "part-old.zstd.parquet"])
def test_nothing_behind_a_link_goes(name: str, place: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "old.parquet").write_text("another's")
    led_to = outside if name == "more" else outside / "old.parquet"
    (place / "observations" / name).symlink_to(led_to)
    with pytest.raises(ArchiveError, match="a link in an archive"):
        remove_old(open_archive(place), "observations", 0, apply=True)
    assert (outside / "old.parquet").read_text() == "another's"


@pytest.mark.parametrize("failing", [OSError(5, "the answer was lost"), CommitFailedError("lost")])
@pytest.mark.parametrize("stands", [True, False])
def test_whatever_a_commit_ends_with_the_rows_are_there(
    *, failing: Exception, stands: bool, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that stands may be said to have failed; only one that lost a race surely did not."""
    before, commit = rows_of(place), DeltaTable.create_write_transaction

    def fail(table: DeltaTable, *words: object, **options: object) -> None:
        if stands and isinstance(failing, OSError):
            commit(table, *words, **options)  # type: ignore[arg-type]
        raise failing

    with monkeypatch.context() as patched:
        patched.setattr(DeltaTable, "create_write_transaction", fail)
        with pytest.raises(ArchiveError):
            compact(place)
    assert rows_of(place).equals(before)
    compact(place)
    assert rows_of(place).equals(before)
    assert verify_archive(place, Silent()).outcome == "verified"


def test_files_that_a_pin_names_stay(place: Path) -> None:
    report = compact(place, pin="audit")
    assert report.pins == ("audit",)
    assert remove_old(open_archive(place), "observations", 0, apply=True) == 0
    compact(place, unpin="audit")
    assert remove_old(open_archive(place), "observations", 0, apply=True) == 3


@pytest.mark.parametrize("version", [-1, 1e30, "1", None, [1], {}])
def test_a_pin_that_is_none_is_named_and_nothing_goes(place: Path, version: object) -> None:
    compact(place, pin="audit")
    pins = place / PINS
    pins.write_bytes(document({"audit": {"observations": version}}))
    with pytest.raises(ArchiveDamaged, match="pins"):
        remove_old(open_archive(place), "observations", 0, apply=True)


def test_a_retention_shorter_than_the_longest_writer_is_refused(place: Path) -> None:
    with pytest.raises(UsageError, match="24 hours"):
        compact(place, retention=LONGEST_WRITER - timedelta(hours=1))


def test_a_file_that_no_commit_names_stays(place: Path) -> None:
    unnamed = place / "observations" / "part-63da0cf6-8167-46c0-98a8-affa4b1e23aa.zstd.parquet"
    unnamed.write_bytes(b"of a commit that an older midden lost")
    compact(place)
    assert remove_old(open_archive(place), "observations", 0, apply=True) == 3
    assert unnamed.exists()
