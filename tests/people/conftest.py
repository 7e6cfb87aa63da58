"""Somebody at home: a home folder of their own, the incident in it, and a terminal if they want."""

import json
import os
import pty
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.forks.commands import run_command

TARGET = "data/neotoma.prod.db"
LARGEST = "backups/neotoma.prod.db.db"
WHOLE = 6_296
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Person:
    """Somebody with a home folder, who is in it."""

    home: Path

    @property
    def target(self) -> Path:
        return self.home / TARGET

    def say(self, *words: str | Path, typed: str | None = None) -> Done:
        """Run ``midden``; with ``typed`` at a terminal, where that is typed."""
        if typed is None:
            return run_command(words, self._environment())
        ours, theirs = pty.openpty()
        try:
            os.write(ours, typed.encode())
            return run_command(words, self._environment(), theirs)
        finally:
            os.close(ours)
            os.close(theirs)

    def accomplish(self, *words: str | Path, typed: str | None = None) -> Done:
        """Run ``midden``, which has to end with 0."""
        done = self.say(*words, typed=typed)
        assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr)
        return done

    def paste(self, line: str, *then: str, typed: str | None = None) -> Done:
        """Paste a command that midden printed."""
        first, *words = shlex.split(line)
        assert first == "midden"
        return self.say(*words, *then, typed=typed)

    def report(self, *words: str | Path) -> dict[str, Any]:
        """Return what a command says with --json, whatever its exit code."""
        found: dict[str, Any] = json.loads(self.say(*words, "--json").stdout)
        return found

    def _environment(self) -> dict[str, str]:
        ours = ("MIDDEN_", "XDG_", "NEOTOMA_")
        kept = {n: v for n, v in os.environ.items() if not n.startswith(ours)}  # noqa: TID251
        return {**kept, "HOME": str(self.home), "COLUMNS": "80"}


@pytest.fixture
def person(unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody whose home folder is the incident's, without the raw files of old copies."""
    home = tmp_path / "home"
    shutil.copytree(unpacked, home, ignore=shutil.ignore_patterns("sources_prod"))
    shutil.copytree(unpacked / "data" / "sources_prod", home / "data" / "sources_prod")
    monkeypatch.chdir(home)
    return Person(home)


def line_behind(text: str, label: str) -> str:
    """Return what stands behind a label, on its last line."""
    lines = [line for line in text.splitlines() if line.startswith(f"{label} ")]
    assert lines, (label, text[-2000:])
    return lines[-1].removeprefix(label).strip()
