"""The command as a user runs it: another process, real files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Midden = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def midden(tmp_path: Path) -> Midden:
    """Run ``midden`` with a vault of this test's own and nobody at the terminal."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "neotoma_core", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "MIDDEN_VAULT": str(tmp_path / "vault")},  # noqa: TID251 - a child's
        )

    return run
