"""Failures of the system: what is known of the reason is said, and nothing more."""

import errno
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl
import pytest

from neotoma_core.errors import FileUnusable, UsageError, reason_of
from neotoma_core.files.exact_paths import write_ipc, write_parquet
from neotoma_core.files.failures import failures_named
from neotoma_core.runs.schema_files import read_exported
from neotoma_core.settings.alerts import alerting
from neotoma_core.sqlite.arrow import arrow_connection

SOURCE = Path(__file__).parents[2] / "neotoma_core"


def test_the_arrow_driver_that_cannot_open_a_file_and_does_not_say_why(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "neotoma.db"
    with (
        pytest.raises(FileUnusable, match="SQLite cannot read or write in it, and does not say"),
        failures_named(missing),
        arrow_connection(missing),
    ):
        pass


def test_what_the_system_says_is_put_into_words_in_one_way() -> None:
    assert reason_of(PermissionError(errno.EACCES, "Permission denied")) == "permission denied"
    assert reason_of(OSError(errno.EIO, "Input/output error")) == "the disk failed (I/O error)"
    assert reason_of(OSError(errno.EFBIG, "more than 9 bytes")) == "more than 9 bytes"
    assert reason_of(OSError("a library's own words, which may hold values")) == "cannot be used"


def test_nobody_else_puts_it_into_words() -> None:
    own = {"errors/reasons.py", "cli/protection/guard.py"}  # the guard speaks as the shell does
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if re.search(r"\.strerror\b(?!\()", path.read_text())
    }
    assert found == own


def test_a_file_that_is_too_deep_is_named_in_the_same_words_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "x.json"
    monkeypatch.setenv("MIDDEN_NOTIFY_URLS_FILE", str(below))
    for read in (alerting, lambda: read_exported(below)):
        with pytest.raises(UsageError, match=r"x\.json: not a directory; "):
            read()


@pytest.mark.parametrize("write", [write_ipc, write_parquet])
def test_polars_that_does_not_say_why_it_cannot_write_is_not_called_a_failed_disk(
    write: Callable[[pl.DataFrame, Path], None], tmp_path: Path
) -> None:
    unwritable = pl.DataFrame({"a": [object()]})
    with pytest.raises(FileUnusable) as caught, failures_named(tmp_path):
        write(unwritable, tmp_path / "x")
    assert "x: Polars cannot read or write in it, and does not say why" in str(caught.value)
    assert "the disk failed" not in str(caught.value)


def test_duckdb_that_cannot_open_what_is_not_there_is_not_called_a_failed_disk(
    tmp_path: Path,
) -> None:
    with pytest.raises(FileUnusable) as caught, failures_named(tmp_path):
        duckdb.connect(str(tmp_path / "none" / "x.duckdb"))
    assert "DuckDB cannot read or write in it, and does not say why" in str(caught.value)
    assert "the disk failed" not in str(caught.value)


def test_a_damaged_database_may_be_just_that(tmp_path: Path) -> None:
    database = tmp_path / "x.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 900,)] * 50)
        connection.commit()
    content = database.read_bytes()
    database.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with (
        pytest.raises(FileUnusable) as caught,
        failures_named(tmp_path),
        closing(sqlite3.connect(database)) as connection,
    ):
        connection.execute("SELECT sum(length(a)) FROM t").fetchall()
    assert "SQLite calls a database in it damaged: it is, or the disk failed" in str(caught.value)
