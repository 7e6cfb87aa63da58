"""The process that reads copies, with faults planted in it: what a file is called says which.

``CODE`` is what such a process is started with in place of its own.
"""

import ctypes
import os
import re
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from neotoma_core.workers import program as worker
from neotoma_core.workers.answers import Answer
from tests.support.panics import quote

CODE: Final = (
    "import sys; life, ahead, *sys.path[:] = sys.argv[1:]; "
    "from tests.support.faulty_worker import main; main(int(life), ahead)"
)
IN_CODE: Final = f"""
from neotoma_core.workers import process as worker_process
worker_process._CODE = {CODE!r}
"""
"""For a program: let the processes it reads copies in be faulty ones."""
POISON: Final = "poison"
REACHED: Final = "reached"
"""A pipe above the folder of a file: it is held open from just before the fault of that strikes."""
_FAULTY: Final = (
    *("examine", "unpack", "unpack raw files", "prove", "condition"),
    *("survey archive", "secure archive", "look into archive", "decompress"),
)
_read: list[str] = []


def _tell(pipe: Path) -> None:
    if pipe.exists():
        os.write(os.open(pipe, os.O_WRONLY), b"reached\n")


def _says_nonsense() -> None:
    """Write to the pipe of the answers, whichever descriptor that is."""
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\0\0\0\0\0\0\0\7nothing")
        except OSError:
            continue


def _writes_too_much() -> None:
    """Make a file larger than any may be."""
    with tempfile.TemporaryFile() as file:
        file.truncate(1 << 40)


def _holds_the_lock() -> None:
    """Never end, in a library that lets no other thread of Python's run."""
    re.match(r"(a+)+$", "a" * 100 + "b")


FAULTS: Final[Mapping[str, Callable[[], object]]] = {
    "segfault": lambda: ctypes.string_at(0),
    "aborted": os.abort,
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exited": lambda: os._exit(0),
    "greedy": lambda: pl.repeat(0, 1 << 31, dtype=pl.Int64, eager=True),
    "wide": _writes_too_much,
    "quoted": quote,
    "nonsense": _says_nonsense,
    "for-ever": _holds_the_lock,
}


def _plant(
    task: Callable[[Mapping[str, Any], Any], Answer],
) -> Callable[[Mapping[str, Any], Any], Answer]:
    def run(words: Mapping[str, Any], setting: Any) -> Answer:
        told_by = next(word for word in ("member", "shown", "path") if word in words)
        told = Path(words[told_by])
        name = told.parent.name if words["kind"] == "decompress" else told.name
        if POISON in _read:
            FAULTS["segfault"]()
        _read.append(name.partition(".")[0])
        answer = task(words, setting)
        if words["folder"] != "None":
            Path(words["folder"], "left").mkdir(parents=True, exist_ok=True)
        for fault, strike in FAULTS.items():
            if fault in name:
                _tell(Path(words["path"]).parent.parent / REACHED)
                strike()
        return answer

    return run


def main(life: int, ahead: str) -> None:
    """Be that process."""
    for kind in _FAULTY:
        worker.TASKS[kind] = _plant(worker.TASKS[kind])
    worker.main(life, ahead)
