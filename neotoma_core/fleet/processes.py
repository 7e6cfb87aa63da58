"""Hands that are processes: one that crashes costs the database it worked on, no other.

Each process does many tasks, so that a thousand small databases do not start it a thousand times.
Invariants: none outlives this process, however that ends; an interrupt at the terminal reaches this
process alone; what a library prints there goes nowhere, since it may quote what it reads.
"""

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Final

from neotoma_core.errors import MiddenError, ProcessLost
from neotoma_core.files.private import keep_private
from neotoma_core.fleet.report import FleetRow
from neotoma_core.fleet.task import FleetTask

_SPAWN: Final = multiprocessing.get_context("spawn")
_END_SECONDS: Final = 10.0


class _Ended(Exception):
    """Nothing more is to be done."""


class ProcessHand:
    """A process, started with the first task, and again after one that it did not survive."""

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._line: Connection | None = None
        self._life: Connection | None = None
        self._lock = threading.Lock()
        self._has_ended = False

    def do(self, task: FleetTask, *, number: int, last: bool) -> FleetRow:
        """Have a task done; raises what it raises, and ProcessLost where the process ended."""
        line = self._start()
        try:
            line.send((task, number, last))
            answer: FleetRow | MiddenError = line.recv()
        except (EOFError, OSError):
            if self._has_ended:
                raise _Ended from None
            raise ProcessLost(task.label, self._how_it_ended()) from None
        if isinstance(answer, MiddenError):
            raise answer
        return answer

    def end(self) -> None:
        """Kill the process; whoever waits for its answer learns of it."""
        with self._lock:
            self._has_ended = True
            self._kill()

    def _start(self) -> Connection:
        with self._lock:
            if self._has_ended:
                raise _Ended
            if self._line is not None:
                return self._line
            ours, theirs = _SPAWN.Pipe()
            watched, self._life = _SPAWN.Pipe(duplex=False)
            process = _SPAWN.Process(target=_serve, args=(theirs, watched), daemon=True)
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
            watched.close()
            self._process, self._line = process, ours
            return ours

    def _how_it_ended(self) -> str:
        with self._lock:
            code = self._kill(at_once=False)
            for pipe in (self._line, self._life):
                if pipe is not None:
                    pipe.close()
            self._process = self._line = self._life = None
        if code is not None and code < 0:
            with suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name}"
        return "crashed"

    def _kill(self, *, at_once: bool = True) -> int | None:
        """Kill the process, unless it ends by itself; return its exit code."""
        process = self._process
        if process is None:
            return None
        if not at_once:
            process.join(_END_SECONDS)
        process.kill()
        process.join(_END_SECONDS)
        return process.exitcode


def _serve(line: Connection, life: Connection) -> None:
    """Do tasks until the other end of the line is closed: what such a process does."""
    os.setsid()
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
    keep_private()
    from neotoma_core.fleet.attempt import attempt  # noqa: PLC0415 - what takes a while to load
    from neotoma_core.settings.environment import note_vaults  # noqa: PLC0415 - as above

    note_vaults()
    while True:
        try:
            task, number, last = line.recv()
        except EOFError:
            return
        answer: FleetRow | MiddenError
        try:
            answer = attempt(task, number=number, last=last)
        except MiddenError as error:
            answer = error
        line.send(answer)


def _end_with(life: Connection) -> None:
    """End this process, whatever it is doing, once the one that started it has ended."""
    with suppress(EOFError, OSError):
        life.recv()
    os._exit(1)
