"""Backups, drills, rotation and the guarded reset, as a user runs them."""

import json
import os
import pty
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from neotoma_core.cli.terminal.asking import DECLINED
from tests.cli.conftest import Midden
from tests.support.backing_up import Vault, fill, small_vault
from tests.support.databases import USER, count


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    return small_vault(tmp_path)


def test_the_story_of_a_wiped_database(world: Vault, midden: Midden) -> None:
    target = ("--target", world.target)
    assert midden("backup", *target).returncode == 0
    fill(world.target, 2)
    lost = midden("backup", *target)
    assert lost.returncode == 6
    assert "ALARM      observations: 2, usually 40" in lost.stdout
    assert "no backup is removed until that is explained" in lost.stderr
    pruned = midden("prune", *target, "--keep-last", "1", "--apply", "--yes")
    assert "nothing is removed: rotation is frozen" in pruned.stdout
    assert midden("restore", "1", *target, "--yes").returncode == 0
    assert count(world.target, "observations") == 40
    assert midden("backup", *target).returncode == 0
    listing = json.loads(midden("backups", *target, "--json").stdout)
    assert [b["standing"] for b in listing["listed"]] == ["good", "lossy", "good"]
    accepted = midden("backups", *target, "--accept", "2", "a rehearsal")
    assert "accepted: a rehearsal" in accepted.stdout


def test_a_damaged_backup_is_found_and_refused(world: Vault, midden: Midden) -> None:
    midden("backup", "--target", world.target)
    database = world.place() / "database.db.zst"
    database.write_bytes(database.read_bytes()[:-1] + b"?")
    verified = midden("verify", "--target", world.target)
    assert (verified.returncode, "FAILED" in verified.stdout) == (5, True)
    before = world.target.read_bytes()
    refused = midden("restore", "1", "--target", world.target, "--yes")
    assert refused.returncode == 5
    assert "nothing was changed" in refused.stderr
    assert world.target.read_bytes() == before


def test_a_dry_run_keeps_nothing(world: Vault, midden: Midden) -> None:
    done = midden("backup", "--target", world.target, "--dry-run")
    assert "40 observations, 40 entities" in done.stdout
    assert world.backups == ()
    plan = json.loads(midden("backup", "--target", world.target, "-n", "--json").stdout)
    assert plan["observations"] == 40
    midden("backup", "--target", world.target)
    assert "40 observations" in midden("restore", "1", "--target", world.target, "-n").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("prune", "--keep-daily", "0"), "keeps nothing"),
        (("prune", "--keep-within", "soon"), "not a span of time"),
        (("verify",), "no backup to verify"),
        (("verify", "7"), "no backup to verify"),
        (("backups", "why"), "without --accept or --pin"),
        (("backups", "--pin", "1", "--unpin", "1"), "one at a time"),
        (("backups", "--pin", "1"), "no backup"),
        (("serve", "--vault", "v", "--target", "b"), "several targets"),
    ],
)
def test_wrong_words_are_explained(
    words: tuple[str, ...], says: str, world: Vault, midden: Midden
) -> None:
    done = midden(*words, "--target", world.target)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_production_cannot_be_reset_without_a_terminal(world: Vault, midden: Midden) -> None:
    before = world.target.read_bytes()
    done = midden("reset", "--target", world.target, "--yes")
    assert done.returncode == 2
    assert "would lose 40 observations, 40 entities" in done.stderr
    assert "--yes does not count" in done.stderr
    assert world.target.read_bytes() == before


def test_a_development_database_is_reset_with_yes(world: Vault, midden: Midden) -> None:
    development = world.folder / "data" / "neotoma.db"
    shutil.copy(world.target, development)
    done = midden("reset", "--target", development, "--yes")
    assert done.returncode == 0, done.stderr
    assert count(development, "observations") == 0
    undo = done.stdout.partition("undo       ")[2].split()
    assert midden(*undo[1:], "--yes").returncode == 0
    assert count(development, "observations") == 40


@pytest.mark.parametrize(("typed", "left"), [("neotoma.prod.db", 0), ("yes", 40)])
def test_the_name_typed_at_a_terminal_resets_production(
    typed: str, left: int, world: Vault
) -> None:
    ours, theirs = pty.openpty()
    words = ("reset", "--target", str(world.target), "--yes", "--vault", str(world.vault))
    with subprocess.Popen(
        [sys.executable, "-m", "neotoma_core", *words],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, f"{typed}\n".encode())
        out, err = process.communicate()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == (DECLINED if left else 0), err
    assert "type the name of the database" in err
    assert ("declined" in out) == bool(left)
    assert count(world.target, "observations") == left


def test_erasing_nearly_everything_is_guarded_and_backed_up(world: Vault, midden: Midden) -> None:
    refused = midden("erase", "--target", world.target, "--user", USER, "--yes")
    assert (refused.returncode, "--yes does not count" in refused.stderr) == (2, True)
    development = world.folder / "data" / "neotoma.db"
    shutil.copy(world.target, development)
    done = midden("erase", "--target", development, "--user", USER, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["backup"].endswith("-before-erase-0001")
    assert count(development, "observations") == 0


class _Pulse(BaseHTTPRequestHandler):
    """Remember what was asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - as the base class calls it

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def pulse() -> Iterator[tuple[str, list[str]]]:
    """Serve on this machine; the address, and what it is asked for."""
    server = HTTPServer(("127.0.0.1", 0), _Pulse)
    asked: list[str] = []
    server.asked = asked  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def deaf() -> Iterator[str]:
    """An address of this machine at which nobody answers, and nobody else can begin to."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def test_success_and_failure_are_told(
    world: Vault, midden: Midden, pulse: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, asked = pulse
    addresses = world.folder / "addresses"
    addresses.write_text(f"json://user:planted-password@{place}/alarm\n")
    monkeypatch.setenv("MIDDEN_HEARTBEAT_URL", f"http://{place}/beat")
    monkeypatch.setenv("MIDDEN_NOTIFY_URLS_FILE", str(addresses))
    monkeypatch.setenv("MIDDEN_METRICS_FILE", str(world.folder / "metrics" / "midden.prom"))
    words = ("backup", "--target", world.target)
    begun = time.time()
    assert midden(*words).returncode == 0
    assert asked == ["/beat"]
    metrics = (world.folder / "metrics" / "midden.prom").read_text()
    assert 'midden_good_copies{vault="vault"} 1' in metrics
    assert 'midden_rows{vault="vault",table="observations"} 40' in metrics
    stamp = float(metrics.partition("restore_timestamp_seconds{vault=")[2].split()[1])
    assert int(begun) <= stamp <= time.time()
    fill(world.target, 2)
    lost = midden(*words)
    assert asked == ["/beat", "/alarm", "/beat/fail"]
    assert "planted-password" not in lost.stdout + lost.stderr
    world.target.unlink()
    midden(*words)
    assert asked[3:] == ["/alarm", "/beat/fail"]


def test_whoever_cannot_be_told_is_named_without_the_address(
    world: Vault, midden: Midden, deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDDEN_HEARTBEAT_URL", f"http://{deaf}/planted-secret")
    monkeypatch.setenv("MIDDEN_NOTIFY_URLS", "nonsense://planted-secret")
    done = midden("backup", "--target", world.target)
    assert done.returncode == 0
    assert "the heartbeat was not answered" in done.stderr
    assert "planted-secret" not in done.stdout + done.stderr
    fill(world.target, 1)
    done = midden("backup", "--target", world.target)
    assert "not every notification could be sent" in done.stderr
    assert "planted-secret" not in done.stdout + done.stderr


def test_a_folder_that_cannot_be_written_to_is_named(world: Vault, midden: Midden) -> None:
    done = midden("backup", "--target", world.target, "--vault", "/proc/midden")
    assert done.returncode == 20
    assert "choose another folder with --vault" in done.stderr
