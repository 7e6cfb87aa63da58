"""The database is gone and its log stayed: what the log holds is salvaged, and the log is named."""

import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.salvage.logs import database_of_log
from tests.conftest import Recover
from tests.support.databases import make_database, read_all
from tests.support.proven import observe, owner

KEPT, LOGGED = 60, 90
FRAME = 24 + 4096


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A database that is gone, with a log that has what was written since the backup."""
    rows = {"observations": [observe(n) for n in range(KEPT)], "entities": [owner()]}
    live = make_database(tmp_path / "live.db", rows)
    shutil.copy(live, tmp_path / "backup.db")
    more = make_database(
        tmp_path / "more.db", {"observations": [observe(n) for n in range(KEPT, LOGGED)]}
    )
    target = tmp_path / "data" / "target.db"
    target.parent.mkdir()
    with closing(sqlite3.connect(live, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("ATTACH ? AS more", (str(more),))
        connection.execute("INSERT INTO observations SELECT * FROM more.observations")
        shutil.copy(f"{live}-wal", f"{target}-wal")
    return target


def test_the_rows_of_a_log_without_its_database_come_back(
    target: Path, tmp_path: Path, run_recover: Recover
) -> None:
    log = target.with_name("target.db-wal")
    size = log.stat().st_size
    report = run_recover(target, tmp_path / "backup.db")
    assert len(read_all(target)["observations"]) == LOGGED
    (left,) = [finding for finding in report.findings if finding.kind == "left-behind"]
    assert (left.subject, f"{size:,} bytes" in left.detail) == (str(log), True)
    kept = Path(left.detail.partition("kept as ")[2])
    assert (kept.stat().st_size, log.exists()) == (size, False)


def spoilt(content: bytes, at: int, form: str, value: int) -> bytes:
    found = bytearray(content)
    struct.pack_into(form, found, at, value)
    return bytes(found)


def frames(log: bytes) -> list[bytes]:
    return [log[start : start + FRAME] for start in range(32, len(log), FRAME)]


def promising(frame: bytes) -> bytes:
    """Return a frame that says that the database has 8 TB."""
    return spoilt(frame, 4, ">I", 1 << 31)


@pytest.mark.parametrize(
    "log",
    [
        lambda _: b"",
        lambda whole: whole[:31],
        lambda whole: bytes(len(whole)),
        lambda whole: spoilt(whole, 8, ">I", 7),
        lambda whole: spoilt(whole, 16, ">I", 1),
        lambda whole: whole[:32] + b"".join(map(promising, frames(whole))),
    ],
    ids=["empty", "cut", "zeros", "odd page size", "other salts", "a giant"],
)
def test_a_log_that_proves_nothing_is_evidence_only(
    log: Callable[[bytes], bytes], target: Path, tmp_path: Path, run_recover: Recover
) -> None:
    place = target.with_name("target.db-wal")
    place.write_bytes(log(place.read_bytes()))
    assert not database_of_log(place, tmp_path / "pages.db")
    report = run_recover(target, tmp_path / "backup.db")
    assert len(read_all(target)["observations"]) == KEPT
    assert [f.subject for f in report.findings if f.kind == "left-behind"] == [str(place)]
