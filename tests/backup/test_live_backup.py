"""Backups while a server writes: each is a state that was committed."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from neotoma_core.report.progress import Silent
from neotoma_core.restore.sources import find_source, unpack_source
from tests.support.backing_up import Vault, small_vault

BACKUPS = 100
BURST = 20  # transactions
WRITER = """
import sqlite3, sys
path, mode, patience, burst = sys.argv[1:]
connection = sqlite3.connect(path, isolation_level=None, timeout=float(patience))
connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
connection.execute("PRAGMA wal_autocheckpoint = 50").fetchone()
connection.execute("PRAGMA synchronous = NORMAL")
print("ready", flush=True)
number = 0
insert = ("INSERT INTO observations (id, entity_id, entity_type, schema_version, observed_at, "
          "fields) VALUES (?, 'e1', 'note', '1.0', '2026-03-01T00:00:00.000Z', ?)")
for _ in sys.stdin:
    for _ in range(int(burst)):
        connection.execute("BEGIN IMMEDIATE")
        for half in "ab":
            connection.execute(insert, (f"w{number:08}{half}", '{"title":"' + half * 400 + '"}'))
        connection.execute("COMMIT")
        number += 1
    print("written", flush=True)
"""


class Writing(Silent):
    """A server that writes a burst of transactions of two rows while each backup copies."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def begin(self, step: str, total: int | None = None) -> None:
        """Let the burst begin with the copy, and be over before what was copied is measured."""
        super().begin(step, total)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if step == "copy":
            self._process.stdin.write("write\n")
            self._process.stdin.flush()
        if step == "measure":
            assert self._process.stdout.readline() == "written\n"


@contextmanager
def server_on(database: Path, mode: str, *, patience: int) -> Iterator[Writing]:
    """Another process that writes; ``patience``: seconds it waits for a lock before it fails."""
    command = [sys.executable, "-c", WRITER, str(database), mode, str(patience), str(BURST)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Writing(process)
        process.communicate()
    assert process.returncode == 0


def pairs_in(whole: Path) -> int:
    """Return how many transactions a copy has; each whole, and none before it missing."""
    with closing(sqlite3.connect(whole)) as connection:
        rows = connection.execute(
            "SELECT substr(id, 2, 8), count(*) FROM observations WHERE id GLOB 'w*' GROUP BY 1"
        ).fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert all(halves == 2 for _, halves in rows)
    assert [int(number) for number, _ in rows] == list(range(len(rows)))
    return len(rows)


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    return small_vault(tmp_path)


def test_each_of_a_hundred_backups_is_a_committed_state(world: Vault, tmp_path: Path) -> None:
    """A server with a log is not kept waiting for a moment: it has no patience, and goes on."""
    with server_on(world.target, "WAL", patience=0) as server:
        for _ in range(BACKUPS):
            world.back_up(drill=False, progress=server)
    for number in range(1, BACKUPS + 1):
        source = find_source(str(number), world.vault)
        whole = unpack_source(source, tmp_path / str(number), world.target).whole
        assert whole is not None
        assert BURST * (number - 1) <= pairs_in(whole) <= BURST * number
        whole.unlink()


def test_a_drill_passes_while_the_server_goes_on(world: Vault) -> None:
    with server_on(world.target, "WAL", patience=0) as server:
        drills = [world.back_up(progress=server).drill for _ in range(3)]
    assert [drill.outcome for drill in drills if drill] == ["pass"] * 3


def test_a_server_without_a_log_waits_for_the_copy(world: Vault) -> None:
    with server_on(world.target, "DELETE", patience=60) as server:
        for _ in range(5):
            world.back_up(drill=False, progress=server)
    assert world.verify().outcome == "pass"
