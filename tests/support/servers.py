"""Servers for tests of stores: on loopback, on free ports, in a folder of their own; and axe.

``python -m tests.support.servers --install`` puts what comes from npm where the tests look for it.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

_STARTS_WITHIN: Final = 120.0
_STOPS_WITHIN: Final = 2.0
_FROM_NPM: Final = ("azurite@3", "s3rver@3.7.1", "axe-core@4")


def npm_folder() -> Path:
    """Return where the servers from npm are: TEST_SERVERS, or a cache of the user."""
    named = os.environ.get("TEST_SERVERS")  # noqa: TID251 - of tests
    return Path(named) if named else platformdirs.user_cache_path("midden-test-servers")


def install() -> None:
    """Install the servers, and axe, that npm has."""
    folder = npm_folder()
    folder.mkdir(parents=True, exist_ok=True)
    words = ("npm", "install", "--silent", "--no-save", "--prefix", folder, *_FROM_NPM)
    subprocess.run(words, check=True)


def from_npm(name: str) -> Path:
    """Return the program of a server from npm; fails with what to do where it is missing."""
    program = npm_folder() / "node_modules" / ".bin" / name
    assert program.exists(), f"{name} is missing; run python -m tests.support.servers --install"
    return program


def axe_source() -> str:
    """Return the script that looks for what keeps people from reading a page."""
    script = npm_folder() / "node_modules" / "axe-core" / "axe.min.js"
    assert script.exists(), "axe is missing; run python -m tests.support.servers --install"
    return script.read_text()


def program(name: str) -> Path:
    """Return a program of this environment, or of the system."""
    places = (str(Path(sys.executable).parent), os.defpath, "/usr/sbin", "/usr/local/sbin")
    searched = os.pathsep.join((*places, os.environ.get("PATH", "")))  # noqa: TID251
    found = shutil.which(name, path=searched)
    assert found, f"{name} is missing; .ci/run installs it"
    return Path(found)


def free_ports(count: int) -> tuple[int, ...]:
    """Return ports of loopback that nothing listens on, none of them twice."""
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(each.getsockname()[1] for each in sockets)


@dataclass(frozen=True, slots=True)
class Answers:
    """Whether a server answers on a port; its own question where it is given."""

    port: int
    asked: Callable[[], bool] = lambda: True

    def __call__(self) -> bool:
        """Return whether it does."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return self.asked()
        except OSError:
            return False


@contextmanager
def running(
    words: Sequence[str | Path], folder: Path, ready: Callable[[], bool]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block ends; what it says is in ``folder``."""
    said = folder / "said.txt"
    with (
        said.open("ab") as out,
        subprocess.Popen(
            [str(word) for word in words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait(process, ready, said)
            yield process
        finally:
            _stop(process)


def _wait(process: "subprocess.Popen[bytes]", ready: Callable[[], bool], said: Path) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while not ready():
        ended = process.poll() is not None
        assert not ended, said.read_text(errors="replace")[-3000:]
        assert time.monotonic() < until, said.read_text(errors="replace")[-3000:]
        time.sleep(0.1)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End a server that this process started, and what it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOPS_WITHIN)
            return


if __name__ == "__main__" and sys.argv[1:] == ["--install"]:
    install()
