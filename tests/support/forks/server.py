"""The process that has all libraries loaded, and is forked for each program that is asked for.

``python -m tests.support.forks.server FOLDER LIFE``: it listens in the folder. It ends, and removes
the folder, once LIFE, a descriptor, is at its end.

A request is one message on a connection of its own, with the descriptors that the program is to
have; see ``Request``. The answer is two messages: the number of the process, and how it ended. As
long as the connection is open that number stays its own, like that of a child that nobody waited
for.
"""

import atexit
import fcntl
import gc
import importlib
import io
import os
import pkgutil
import random
import runpy
import selectors
import shutil
import socket
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Never

import neotoma_core
from neotoma_core.workers import process
from tests.support.forks.readers import readers_of
from tests.support.forks.request import LISTENS, LONGEST, Request

_MOST_STREAMS: Final = 16
_ABOVE: Final = 512  # descriptors of a program are below
_PROGRAM: Final = "neotoma_core"
_NOT_NEEDED: Final = ("neotoma_core.agents",)


@dataclass(frozen=True, slots=True)
class _Child:
    """A program that has not ended, and who asked for it."""

    number: int
    ended: int
    asker: socket.socket


class Server:
    """What waits for requests and for the ends of programs."""

    def __init__(self, folder: Path, life: int) -> None:
        self._folder = folder
        self._life = life
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(str(folder / LISTENS))
        self._listening.listen(128)
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(life, selectors.EVENT_READ)
        self._waiting.register(self._listening, selectors.EVENT_READ)

    def serve(self) -> tuple[Request, list[int]] | None:
        """Fork for each request. Return it in the fork; None in the server, when nobody asks more.

        Descriptors come with it, for the program.
        """
        while True:
            for key, _ in self._waiting.select():
                if key.fileobj is self._listening:
                    if (mine := self._take()) is not None:
                        return mine
                elif key.fd == self._life:
                    shutil.rmtree(self._folder)
                    return None
                else:
                    self._note_end(key)

    def _take(self) -> tuple[Request, list[int]] | None:
        asker, _ = self._listening.accept()
        message, streams, _, _ = socket.recv_fds(asker, LONGEST, _MOST_STREAMS)
        if not message:
            asker.close()
            return None
        child = os.fork()
        if not child:
            request = Request.from_bytes(message)
            if request.session:
                os.setsid()
            _tell(asker, os.getpid())  # whoever hears it may signal the session
            asker.close()
            self._let_go()
            return request, streams
        for stream in streams:
            os.close(stream)
        known = _Child(child, os.pidfd_open(child), asker)
        self._waiting.register(known.ended, selectors.EVENT_READ, known)
        return None

    def _let_go(self) -> None:
        """Close what is the server's, in a fork of it."""
        for each in self._waiting.get_map().values():
            if isinstance(each.data, _Child):
                each.data.asker.close()
                os.close(each.data.ended)
        self._waiting.close()
        self._listening.close()
        os.close(self._life)

    def _note_end(self, key: selectors.SelectorKey) -> None:
        """Tell how a program ended, and release its number when its asker has read that."""
        child: _Child = key.data
        self._waiting.unregister(key.fileobj)
        if key.fd == child.ended:
            how = os.waitid(os.P_PIDFD, child.ended, os.WEXITED | os.WNOWAIT)
            assert how is not None
            _tell(child.asker, how.si_status * (1 if how.si_code == os.CLD_EXITED else -1))
            self._waiting.register(child.asker, selectors.EVENT_READ, child)
        else:
            os.waitpid(child.number, 0)
            os.close(child.ended)
            child.asker.close()


def _tell(asker: socket.socket, number: int) -> None:
    try:
        asker.send(str(number).encode())
    except OSError:
        return  # nobody listens any longer


def become(request: Request, streams: list[int]) -> Callable[[], object]:
    """Make this process the one that was asked for; return what it does."""
    moved = [fcntl.fcntl(stream, fcntl.F_DUPFD_CLOEXEC, _ABOVE) for stream in streams]
    for stream in streams:
        os.close(stream)
    for stream, number in zip(moved, request.numbers, strict=True):
        os.dup2(stream, number)
        os.close(stream)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if number not in request.numbers:
            os.close(number)
            setattr(sys, name, None)
    os.umask(request.umask)
    os.environ.clear()  # noqa: TID251 - of a child
    for variable in request.environment:
        name, _, value = os.fsdecode(variable).partition("=")
        os.environ[name] = value  # noqa: TID251 - of a child
    os.chdir(request.folder)
    time.tzset()
    random.seed()
    tempfile.tempdir = None
    for written in (sys.stdout, sys.stderr):
        if isinstance(written, io.TextIOWrapper):
            written.reconfigure(line_buffering=written.isatty())
    return _find_program([*map(os.fsdecode, request.words)])


def _find_program(words: list[str]) -> Callable[[], object]:
    if words[0] == "-P":
        words = words[1:]
    else:
        sys.path.insert(0, str(Path.cwd()))
    kind, what, *rest = words
    if kind == "-m":
        sys.argv = [what, *rest]
        return partial(runpy.run_module, what, run_name="__main__", alter_sys=True)
    assert kind == "-c", kind
    sys.argv = ["-c", *rest]
    sys.modules["__main__"] = types.ModuleType("__main__")
    return partial(exec, compile(what, "<string>", "exec"), vars(sys.modules["__main__"]))


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


def end(run: Callable[[], object]) -> Never:
    """Run a program and end as Python does, without taking all that was loaded apart."""
    code = _code_of(run)
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as Python itself
    atexit._run_exitfuncs()  # noqa: SLF001
    try:
        for written in (sys.stdout, sys.stderr):
            if written is not None:
                written.flush()
    except OSError:
        code = 120  # as Python does
    os._exit(code & 0xFF)


def _load() -> None:
    """Load what commands load."""
    for module in pkgutil.walk_packages(neotoma_core.__path__, f"{_PROGRAM}."):
        if not module.name.endswith("__main__") and not module.name.startswith(_NOT_NEEDED):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


def main(folder: str, life: str) -> None:
    """Be the server, or in a fork of it what was asked for."""
    server = Server(Path(folder), int(life))
    print("listening", flush=True)  # noqa: T201 - whoever started it may ask
    _load()
    asked = server.serve()
    if asked is not None:
        setattr(process, "subprocess", readers_of(lambda: Path(folder)))  # noqa: B010 - planted
        end(become(*asked))


if __name__ == "__main__":
    main(*sys.argv[1:])
