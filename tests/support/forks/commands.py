"""``midden`` as a user calls it, in a fork."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from tests.support.forks.asking import Fork, server

PROGRAM: Final = "neotoma_core"


def run_command(
    words: Sequence[str | Path],
    env: Mapping[str, str],
    stdin: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``midden`` to its end in a process of its own, in the folder of this one."""
    with (
        open(os.devnull, "rb") as nothing,  # noqa: PTH123 - a device
        TemporaryFile() as out,
        TemporaryFile() as err,
    ):
        given = nothing.fileno() if stdin is None else stdin
        streams = {0: given, 1: out.fileno(), 2: err.fileno()}
        code = Fork(server(), ["-m", PROGRAM, *words], streams, env).wait()
        return subprocess.CompletedProcess(
            [PROGRAM, *map(str, words)], code, _text(out), _text(err)
        )


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n").replace("\r", "\n")
