"""Every library opens exactly the file or folder that is meant, whatever its name."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from neotoma_core.errors import UsageError
from neotoma_core.files.exact_paths import (
    is_plain,
    parquet_columns,
    plain_scratch,
    read_ipc,
    read_parquet,
    table_to_change,
    table_to_read,
    write_ipc,
    write_parquet,
)
from neotoma_core.sqlite.arrow import arrow_connection, fetch, immutable_uri, ingest
from neotoma_core.sqlite.opening import connect_read_only
from tests.support.nasty_names import ALL_BYTES, ALL_TEXT, NAMES

ROWS = pl.DataFrame({"a": [1, 2, 3]})
ALL = {**NAMES, "text": ALL_TEXT, "bytes": ALL_BYTES}


@pytest.fixture(params=list(ALL.values()), ids=list(ALL))
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with a name, next to what a pattern or an address might take it for."""
    for other in ("ab", "a b", "back/slash", "50 %", "one", "what", "a", "nnn"):
        (tmp_path / other).mkdir(parents=True, exist_ok=True)
    place = tmp_path / str(request.param)
    place.mkdir()
    return place


def test_frames(folder: Path) -> None:
    arrow, parquet = folder / "a.arrow", folder / "b.parquet"
    write_ipc(ROWS, arrow)
    write_parquet(ROWS, parquet)
    assert read_ipc(arrow).equals(ROWS)
    assert read_parquet(parquet).equals(ROWS)
    assert parquet_columns(parquet) == {"a"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_databases(folder: Path) -> None:
    database = folder / "x.db"
    with arrow_connection(database) as connection:
        ingest(connection, "t", ROWS)
    with closing(connect_read_only(database)) as plain:
        assert plain.execute("SELECT sum(a) FROM t").fetchone() == (6,)
    with arrow_connection(immutable_uri(database)) as connection:
        assert fetch(connection, "SELECT a FROM t").height == 3
    assert [path.name for path in folder.iterdir()] == ["x.db"]


def test_tables_are_made_appended_to_read_and_cleaned_up(folder: Path) -> None:
    table = folder / "table"
    for _ in range(2):
        with table_to_change(table) as at:
            write_deltalake(at, ROWS.to_arrow(compat_level=pl.CompatLevel.oldest()), mode="append")
    with table_to_read(table) as at:
        assert DeltaTable(str(at)).version() == 1
    kept = set(table.rglob("*.parquet"))
    assert len(kept) == 2
    assert sum(pl.read_parquet(path.read_bytes()).height for path in kept) == 6
    (table / "stray.parquet").write_bytes(b"")
    with table_to_change(table) as at:
        removed = DeltaTable(str(at)).vacuum(
            0, dry_run=False, enforce_retention_duration=False, full=True
        )
    assert removed == ["stray.parquet"]
    assert set(table.rglob("*.parquet")) == kept
    assert not any(path.is_symlink() for path in table.rglob("*"))


def test_a_commit_of_another_is_not_written_over(tmp_path: Path) -> None:
    table = tmp_path / "[a]" / "table"
    changing = table_to_change(table)
    at = changing.__enter__()
    at.mkdir()
    (at / "commit.json").write_text("ours")
    table.mkdir(parents=True)
    (table / "commit.json").write_text("theirs")
    with pytest.raises(FileExistsError):
        changing.__exit__(None, None, None)
    assert (table / "commit.json").read_text() == "theirs"


def test_reading_removes_nothing_that_goes_meanwhile(tmp_path: Path) -> None:
    table = tmp_path / "[a]"
    table.mkdir()
    (table / "part").write_text("x")
    with table_to_read(table) as at:
        (at / "part").unlink()
    assert (table / "part").read_text() == "x"


def test_a_scratch_folder_has_a_plain_name_or_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "a,b"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    with plain_scratch() as scratch:
        assert is_plain(scratch)
    monkeypatch.setattr("neotoma_core.files.exact_paths._USUAL_SCRATCH", ())
    with pytest.raises(UsageError, match="TMPDIR"), plain_scratch():
        pass


def test_a_path_is_not_taken_for_a_database_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with arrow_connection(Path(":memory:")) as connection:
        ingest(connection, "t", ROWS)
    assert sqlite3.connect(tmp_path / ":memory:").execute("SELECT count(*) FROM t").fetchone()


def test_no_library_is_given_a_path_but_by_these_functions() -> None:
    package = Path(__file__).parent.parent.parent / "neotoma_core"
    direct = re.compile(
        r"pl\.(read|scan)_(ipc|parquet)\(|(frame|rows)\.write_(ipc|parquet)\(|shlex\."
    )
    doors = {"exact_paths.py", "shell_words.py"}
    found = [
        f"{path.name}: {line.strip()}"
        for path in package.rglob("*.py")
        if path.name not in doors
        for line in path.read_text().splitlines()
        if direct.search(line)
    ]
    assert found == []
