"""``midden push`` at a terminal: its bars, and following a database until it is interrupted."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_bytes

import pytest

from tests.cli.conftest import Midden
from tests.support import raw
from tests.support.databases import observation
from tests.support.remotes import Machine


@pytest.fixture
def target(tmp_path: Path, midden: Midden) -> Path:
    """A database with a remote in a folder, which nothing was pushed to."""
    content = token_bytes(300_000)
    made = raw.database(tmp_path / "data" / "neotoma.db", content)
    raw.put(made.parent / "sources", content)
    (tmp_path / "nas").mkdir()
    added = midden(
        *("remote", "add", "nas", f"file://{tmp_path}/nas", "--target", made, "--yes"),
        *("--identity-file", tmp_path / "nas.identity"),
    )
    assert added.returncode == 0, added.stderr
    return made


def start(target: Path, *words: str, errors: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "neotoma_core", "push", "--target", str(target), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env={**os.environ, "MIDDEN_VAULT": str(target.parent.parent / "vault")},  # noqa: TID251 - a child's
    )


def test_a_watch_follows_until_it_is_interrupted(target: Path) -> None:
    with start(target, "--watch") as process:
        assert process.stdout is not None
        said = list(_until(process, "pushed"))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert said[0] == "remote     nas\n"
    assert out == ""
    assert process.returncode == 130
    done = "except for the rows that were appended to the archive"
    assert err == f"midden: interrupted; the target is as it was, {done}\n"


def test_what_a_server_commits_meanwhile_is_pushed(target: Path, midden: Midden) -> None:
    with start(target, "--watch", "--every", "1s") as process:
        list(_until(process, "pushed"))
        Machine(target.parent, "", target).add_row("observations", observation("later"))
        said = list(_until(process, "pushed"))
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert "log        1 versions of observations\n" in said
    status = midden("status", target)
    assert "remote     nas: up to date" in status.stdout


def test_bars_of_bytes_say_how_many_how_fast_and_how_long(target: Path) -> None:
    ours, theirs = pty.openpty()
    with start(target, "--bwlimit", "100k", errors=theirs) as process:
        os.close(theirs)
        shown = b"".join(_read(ours)).decode()
        process.communicate()
    os.close(ours)
    assert process.returncode == 0
    assert "uploading" in shown
    assert "/s" in shown
    assert "kB" in shown
    assert ":" in shown.rpartition("/s")[2]


def _until(process: subprocess.Popen[str], word: str) -> Iterator[str]:
    """Yield what is printed, to the first line that begins so."""
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if line.startswith(word):
            return
    pytest.fail(f"it ended: {process.stderr.read() if process.stderr else ''}")


def _read(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # closed by the other side
            return
        if not piece:
            return
        yield piece
