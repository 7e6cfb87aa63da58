"""A panic becomes an error of midden's that carries nothing of what the library said."""

import traceback
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.errors import (
    ArchiveDamaged,
    NativePanic,
    UsageError,
    is_panic,
    without_panic,
)
from neotoma_core.files.frames import read_records
from neotoma_core.report.progress import Silent
from tests.support.archiving import archive
from tests.support.databases import make_database, observation
from tests.support.panics import SECRET, panic, quote


@pytest.mark.parametrize("fault", [panic, quote])
def test_a_panic_is_named_and_nothing_of_it_is_kept(fault: Callable[[], object]) -> None:
    with pytest.raises(NativePanic) as named:
        without_panic("reading", fault)
    error = named.value
    assert (str(error).partition(":")[0], error.exit_code) == ("reading", 1)
    assert error.__context__ is None
    assert SECRET not in "".join(traceback.format_exception(error))


def test_what_is_no_panic_passes() -> None:
    assert without_panic("x", lambda: 3) == 3
    for error in (KeyboardInterrupt(), SystemExit(2), ValueError("x")):
        assert not is_panic(error)

        def fail(error: BaseException = error) -> None:
            raise error

        with pytest.raises(type(error)):
            without_panic("x", fail)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """An archive of one observation."""
    database = make_database(tmp_path / "n.db", {"observations": [observation("o")]})
    archive(database)
    return tmp_path / "archive"


def test_a_file_of_an_archive_that_makes_the_reader_panic_is_damaged(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pl, "read_parquet", quote)
    with pytest.raises(ArchiveDamaged, match="cannot be read as Parquet"):
        read_table(open_archive(kept), "observations").require_whole()
    report = verify_archive(kept, Silent())
    assert (report.outcome, SECRET in report.to_json()) == ("damaged", False)


def test_a_log_of_an_archive_that_makes_the_reader_panic_is_damaged(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neotoma_core.archive_tables.tables.DeltaTable", quote)
    with pytest.raises(ArchiveDamaged, match="its log cannot be read"):
        read_table(open_archive(kept), "observations").require_whole()


def test_a_parquet_file_of_the_user_that_makes_the_reader_panic_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "found.parquet")
    monkeypatch.setattr(pl, "read_parquet", quote)
    with pytest.raises(UsageError, match="neither Parquet nor a JSON array"):
        read_records(tmp_path / "found.parquet")


def test_hashes_in_a_vault_that_make_the_reader_panic_are_not_known(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pl, "read_ipc", quote)
    assert archive(tmp_path / "n.db", kept).outcome == "unchanged"
