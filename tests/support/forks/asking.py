"""Asking for programs: the server is started when the first one is asked for."""

import atexit
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from tests.support.forks.request import LISTENS, Request

ROOT: Final = Path(__file__).parents[3]
PYTHON: Final = sys.executable
_TEMPORARY: Final = tempfile.gettempdir()  # and not that of one test
_ENDS_WITHIN: Final = 10.0


@cache
def server() -> Path:
    """Return the folder of the server of this process, which ends with it."""
    folder = Path(tempfile.mkdtemp(prefix="forks-", dir=_TEMPORARY))
    ending, life = os.pipe()
    process = subprocess.Popen(
        [PYTHON, "-m", "tests.support.forks.server", folder, str(ending)],
        pass_fds=[ending],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    os.close(ending)
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline(), "the server of forks did not start"
    atexit.register(_end, process, life)
    return folder


@cache
def python() -> Path:
    """Return a program to call as Python is, for all that is started another way than here.

    A signal to it does not reach the program it asks for.
    """
    folder = server()
    built = folder / "python"
    source = Path(__file__).with_name("client.c")
    where = f'-DLISTENS="{folder / LISTENS}"'
    subprocess.run(["cc", "-o", built, where, source], check=True)
    return built


def _end(process: "subprocess.Popen[bytes]", life: int) -> None:
    os.close(life)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_ENDS_WITHIN)


class Fork:
    """A program that was asked for: what of ``subprocess.Popen`` its askers need."""

    def __init__(
        self,
        folder: Path,
        words: Sequence[str | Path],
        streams: Mapping[int, int],
        environment: Mapping[str, str],
        *,
        session: bool = False,
    ) -> None:
        """Start it. ``folder``: of the server. ``streams``: what its descriptors are here."""
        self.returncode: int | None = None
        request = Request(
            os.fsencode(Path.cwd()),
            _umask(),
            session,
            tuple(streams),
            tuple(map(os.fsencode, words)),
            tuple(os.fsencode(f"{name}={value}") for name, value in environment.items()),
        )
        self._asking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asking.connect(str(folder / LISTENS))
        socket.send_fds(self._asking, [request.to_bytes()], [*streams.values()])
        self.pid = int(self._asking.recv(64))

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code, or less than 0: the signal; raises ``TimeoutExpired``."""
        if self.returncode is None:
            patience = None if timeout is None else timeout * 1000
            waiting = select.poll()
            waiting.register(self._asking, select.POLLIN)
            if not waiting.poll(patience):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = int(self._asking.recv(64))
            self._asking.close()
        return self.returncode


def _umask() -> int:
    """Return it without setting it, as other threads make files."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("Umask:"))
    return int(line.split()[1], 8)
