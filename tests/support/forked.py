"""``midden`` in a process of its own whose libraries are loaded already: forked, not started.

Starting Python and loading what a command needs takes longer than most commands take. So one
process loads all of it, and never does anything else; every command is a fork of that process, with
its own words, environment, folder, streams and exit code, and ends as any process does. Where the
system has no pidfd, commands are started as usual.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import random
import runpy
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final, Never

import neotoma_core

PROGRAM: Final = "neotoma_core"
_LONGEST: Final = 1 << 17
_NOT_NEEDED: Final = ("neotoma_core.agents",)


def run_command(
    words: Sequence[str | Path],
    env: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
) -> subprocess.CompletedProcess[str]:
    """Run ``midden`` to its end in a process of its own, in the folder of this one."""
    with TemporaryFile() as out, TemporaryFile() as err:
        if stdin == subprocess.DEVNULL:
            with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device
                code = _forker().run(words, env, (nothing.fileno(), out.fileno(), err.fileno()))
        else:
            code = _forker().run(words, env, (stdin, out.fileno(), err.fileno()))
        return subprocess.CompletedProcess(
            [PROGRAM, *map(str, words)], code, _text(out), _text(err)
        )


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n").replace("\r", "\n")


class Forker:
    """The process that has everything loaded; see the module."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = str(theirs.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, number],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parents[2],
            )
        self._socket = ours
        self._sending = threading.Lock()

    def run(
        self, words: Sequence[str | Path], env: Mapping[str, str], streams: tuple[int, int, int]
    ) -> int:
        """Run a command to its end; return its exit code, or less than 0: the signal."""
        asked = {
            "words": list(map(os.fsdecode, words)),
            "env": dict(env),
            "folder": str(Path.cwd()),
        }
        answer, replies = os.pipe()
        try:
            with self._sending:
                message = json.dumps(asked).encode()  # noqa: TID251 - to a child of ours
                socket.send_fds(self._socket, [message], [*streams, replies])
        finally:
            os.close(replies)
        with os.fdopen(answer) as reading:
            return os.waitstatus_to_exitcode(int(reading.read()))


@cache
def _forker() -> Forker:
    """Return the one of this process; it ends with it, as its socket is closed then."""
    return Forker()


def _serve(listening: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork for each request. Return it in the fork; None in the server, when nobody asks more."""
    waiting = selectors.DefaultSelector()
    waiting.register(listening, selectors.EVENT_READ)
    asking = True
    while asking or len(waiting.get_map()) > 0:
        for key, _ in waiting.select():
            if key.fileobj is listening:
                asked, streams, _, _ = socket.recv_fds(listening, _LONGEST, 4)
                if not asked:
                    asking = False
                    waiting.unregister(listening)
                    continue
                child = os.fork()
                if not child:
                    for one in waiting.get_map().values():
                        os.close(one.fd)
                    os.close(streams.pop())
                    return json.loads(asked), streams
                *own, replies = streams
                for stream in own:
                    os.close(stream)
                waiting.register(os.pidfd_open(child), selectors.EVENT_READ, (child, replies))
            else:
                child, replies = key.data
                waiting.unregister(key.fd)
                os.close(key.fd)
                _, status = os.waitpid(child, 0)
                os.write(replies, str(status).encode())
                os.close(replies)
    return None


def _become(asked: dict[str, Any], streams: list[int]) -> None:
    """Make this process the one that was asked for."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()  # noqa: TID251 - of a child
    os.environ.update(asked["env"])  # noqa: TID251 - of a child
    time.tzset()
    random.seed()
    os.chdir(asked["folder"])
    sys.argv = [PROGRAM, *asked["words"]]
    for written in (sys.stdout, sys.stderr):
        written.reconfigure(line_buffering=written.isatty())  # type: ignore[union-attr]


def _code_of(run: Callable[[], object]) -> int:
    """Run a program; return the exit code that Python would end with."""
    try:
        run()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        sys.stderr.write(f"{ended.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 - as Python does at its top
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _end(code: int) -> Never:
    """End as Python does, without taking all that was loaded apart."""
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as Python itself
    atexit._run_exitfuncs()  # noqa: SLF001
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = 120  # as Python does
    os._exit(code)


def _load() -> None:
    """Load what commands load."""
    for module in pkgutil.walk_packages(neotoma_core.__path__, f"{PROGRAM}."):
        if not module.name.endswith("__main__") and not module.name.startswith(_NOT_NEEDED):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _load()
    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    if request is None:
        os._exit(0)
    _become(*request)
    _end(_code_of(partial(runpy.run_module, PROGRAM, run_name="__main__", alter_sys=True)))
