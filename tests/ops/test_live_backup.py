"""Backups while a server writes: each is a state that was committed."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from neotoma_core.ops.restore_sources import find_source, unpack
from tests.ops.backing_up import Vault, small_vault

BACKUPS = 100
WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute(f"PRAGMA journal_mode = {sys.argv[2]}").fetchone()
connection.execute("PRAGMA wal_autocheckpoint = 50").fetchone()
connection.execute("PRAGMA synchronous = NORMAL")
print("ready", flush=True)
number = 0
insert = ("INSERT INTO observations (id, entity_id, entity_type, schema_version, observed_at, "
          "fields) VALUES (?, 'e1', 'note', '1.0', '2026-03-01T00:00:00.000Z', ?)")
begun = time.monotonic()
while not sys.stdin in __import__("select").select([sys.stdin], [], [], 0)[0]:
    connection.execute("BEGIN IMMEDIATE")
    for half in "ab":
        connection.execute(insert, (f"w{number:08}{half}", '{"title":"' + half * 400 + '"}'))
    connection.execute("COMMIT")
    number += 1
    time.sleep(max(0.0, begun + number / 200 - time.monotonic()))
print(number, time.monotonic() - begun, flush=True)
"""


@contextmanager
def writer_on(database: Path, mode: str) -> Iterator[list[float]]:
    """Another process that writes 200 transactions of two rows a second, as far as it may."""
    command = [sys.executable, "-c", WRITER, str(database), mode]
    said: list[float] = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield said
        out, _ = process.communicate("\n")
    said += map(float, out.split())


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
    with writer_on(world.target, "WAL") as written:
        for _ in range(BACKUPS):
            world.back_up(drill=False)
    restored = []
    for number in range(1, BACKUPS + 1):
        source = find_source(str(number), world.vault)
        whole = unpack(source, tmp_path / str(number), world.target).whole
        assert whole is not None
        restored.append(pairs_in(whole))
        whole.unlink()
    assert restored == sorted(restored)
    transactions, seconds = written
    assert restored[-1] <= transactions
    assert len(set(restored)) > BACKUPS // 2  # it really wrote between them
    assert transactions > 20 * seconds  # and was not kept from it


def test_a_drill_passes_while_the_server_goes_on(world: Vault) -> None:
    with writer_on(world.target, "WAL"):
        for _ in range(3):
            drill = world.back_up().drill
            assert drill is not None
            assert drill.outcome == "pass"


def test_a_server_without_a_log_waits_for_the_copy(world: Vault) -> None:
    with writer_on(world.target, "DELETE"):
        for _ in range(5):
            world.back_up(drill=False)
    assert world.verify().outcome == "pass"
