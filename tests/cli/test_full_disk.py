"""A disk that fills up: a clear error, and a target that is what it was."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.databases import entity, make_database, observation

MEGABYTE = 1 << 20


def limit_files() -> None:
    """Let no file of this process grow beyond a megabyte, as a full disk would not."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, MEGABYTE))


def big_database(path: Path, first: int, rows: int) -> Path:
    text = "x" * 1000
    observations = [
        observation(f"o{number}", fields=f'{{"title":"{text}"}}')
        for number in range(first, first + rows)
    ]
    return make_database(path, {"entities": [entity("e1")], "observations": observations})


@pytest.mark.parametrize(
    ("rows", "code", "message"),
    [(1500, 14, "the disk is full"), (200, 11, "the disk failed while it was written to")],
    ids=["while evidence is taken", "while the target is written"],
)
def test_the_target_is_what_it_was(rows: int, code: int, message: str, tmp_path: Path) -> None:
    target = big_database(tmp_path / "data" / "target.db", 0, 400)
    backup = big_database(tmp_path / "backup.db", 399, rows)
    before = target.read_bytes()
    words = ("recover", "--target", target, "--backup", backup, "--yes")
    done = subprocess.run(
        [sys.executable, "-m", "neotoma_core", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit_files,
        env={**os.environ, "MIDDEN_VAULT": str(tmp_path / "vault")},  # noqa: TID251 - a child's
    )
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "nothing was changed" in done.stderr
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == ["target.db"]
    assert list((tmp_path / "vault" / "work").iterdir()) == []
