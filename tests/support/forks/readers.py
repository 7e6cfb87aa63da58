"""The processes that read copies for a command, as forks."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, Final

from tests.support.forks.asking import PYTHON, Fork

_STARTED_AS: Final = [PYTHON, "-P", "-c"]


class Reader(Fork):
    """A process that reads copies: its standard streams are pipes, but for what it prints."""

    def __init__(self, folder: Path, words: Sequence[str], said: int, life: int) -> None:
        """Start it. ``said``: where its errors go. ``life``: a descriptor that it has, too."""
        given, asking = os.pipe()
        answering, answer = os.pipe()
        try:
            streams = {0: given, 1: answer, 2: said, life: life}
            super().__init__(folder, words, streams, os.environ, session=True)  # noqa: TID251
        finally:
            os.close(given)
            os.close(answer)
        self.stdin: IO[bytes] = os.fdopen(asking, "wb", buffering=0)
        self.stdout: IO[bytes] = os.fdopen(answering, "rb", buffering=0)


def readers_of(server: Callable[[], Path]) -> Any:
    """Return ``subprocess`` for the module that starts readers, which makes them forks.

    A reader that is to be another program, or in a folder that is gone, is started as usual.
    """

    def start(words: list[str], **how: Any) -> Any:
        if words[:3] != _STARTED_AS or not os.path.exists(os.curdir):  # noqa: PTH110 - gone
            return subprocess.Popen(words, **how)
        (life,) = how["pass_fds"]
        return Reader(server(), words[1:], how["stderr"], life)

    return SimpleNamespace(**{**vars(subprocess), "Popen": start})
