"""Real bash and zsh, with a ``neotoma`` that notes its arguments."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]


NEOTOMA = """\
#!/bin/sh
for word; do printf '%s\\0' "$word"; done > "$NOTES/arguments"
cat > "$NOTES/input"
exit 37
"""


MIDDEN = """\
#!/bin/sh
: > "$NOTES/midden"
exec {} -m neotoma_core "$@"
"""


ZSH = ("zsh", "-f", "-c")


BASH = ("bash", "--norc", "-c")


# What users set in their shells, before the function is read and while it runs.
SHELLS = {
    "bash": (BASH, ""),
    "bash, strict": (BASH, "set -eu -o pipefail;"),
    "bash, with an alias": (BASH, "shopt -s expand_aliases; alias neotoma=false;"),
    "zsh": (ZSH, ""),
    "zsh, strict": (ZSH, "setopt err_exit no_unset warn_create_global;"),
    "zsh, like sh": (ZSH, "emulate sh;"),
}


Words = list[str | bytes]


@dataclass(frozen=True)
class Place:
    """A home with a database of each environment, a ``neotoma`` that notes, and ``midden``."""

    folder: Path

    @property
    def production(self) -> Path:
        return self.folder / "here" / "data" / "neotoma.prod.db"

    @property
    def development(self) -> Path:
        return self.folder / "here" / "data" / "neotoma.db"

    @property
    def notes(self) -> Path:
        return self.folder / "notes"

    @property
    def arguments(self) -> list[bytes] | None:
        """What neotoma was called with; None where it was not called."""
        noted = self.notes / "arguments"
        return noted.read_bytes().split(b"\0")[:-1] if noted.exists() else None

    def run(
        self,
        shell: str,
        words: Words,
        *,
        given: IO[bytes] | int = subprocess.DEVNULL,
        variables: dict[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run ``neotoma`` with some words in a shell that has read the guard."""
        start, settings = SHELLS[shell]
        script = f'{settings} . "{self.folder}/rc"; \\neotoma "$@"'
        return subprocess.run(
            [*start, script, "shell", *words],
            stdin=given,
            capture_output=True,
            check=False,
            cwd=self.folder / "here",
            env={
                "HOME": str(self.folder / "home"),
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",  # noqa: TID251 - a child's
                "PYTHONPATH": str(ROOT),
                "MIDDEN_VAULT": str(self.folder / "vault"),
                "NOTES": str(self.notes),
                **(variables or {}),
            },
        )
