"""The command as a user runs it: another process, real files."""

import os
import pty
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neotoma_core.cli.terminal.manner import MANNER, ProgressForm
from tests.support.forks.commands import run_command

Midden = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def manner() -> Iterator[None]:
    """Let no test that parses commands in this process leave them quiet, or talkative."""
    yield
    MANNER.quiet = MANNER.verbose = MANNER.json = False
    MANNER.progress = ProgressForm.AUTO


@pytest.fixture
def midden(tmp_path: Path) -> Midden:
    """Run ``midden`` with a vault of this test's own and nobody at the terminal."""
    return midden_with(tmp_path / "vault")


def midden_with(vault: Path) -> Midden:
    """Return what runs ``midden`` with a vault and nobody at the terminal."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return run_command(words, {**os.environ, "MIDDEN_VAULT": str(vault)})  # noqa: TID251

    return run


@pytest.fixture
def at_terminal(tmp_path: Path) -> Midden:
    """Run ``midden`` with the same vault, and ``typed`` at its terminal."""

    def run(*words: str | Path, typed: str) -> subprocess.CompletedProcess[str]:
        ours, theirs = pty.openpty()
        try:
            os.write(ours, f"{typed}\n".encode())
            environment = {**os.environ, "MIDDEN_VAULT": str(tmp_path / "vault")}  # noqa: TID251
            return run_command(words, environment, theirs)
        finally:
            os.close(ours)
            os.close(theirs)

    return run
