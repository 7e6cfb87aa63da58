"""One command measured by a small process: ``python -m tests.benchmarks.aside WORD…``.

Linux counts what a process had in memory when it started another as memory of that one, too. So a
benchmark that has made its data in memory does not start what it measures itself.

Prints JSON: the exit code, seconds, those of processors, and the most memory, in MB.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Used(NamedTuple):
    """What a command took: seconds, those of processors, and the most memory, in MB."""

    code: int
    seconds: float
    processors: float
    peak: float


def measure_aside(*words: str | Path) -> Used:
    """Run a command, and return what it took; what it prints is dropped."""
    command = [sys.executable, "-m", "tests.benchmarks.aside", *map(str, words)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Used(*json.loads(done.stdout))


def measure_here(words: list[str]) -> Used:
    """Run a command, started by this process."""
    before = time.monotonic()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.monotonic() - before
    with suppress(ChildProcessError):
        child.wait()
    code = os.waitstatus_to_exitcode(status)
    return Used(code, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


if __name__ == "__main__":
    print(json.dumps(measure_here(sys.argv[1:])))
