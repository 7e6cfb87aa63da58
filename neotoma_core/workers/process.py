"""One process that reads files from outside for this one, from its start to its end."""

import errno
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from neotoma_core.documents.models import NotAsModelled, read
from neotoma_core.errors import FileUnusable, reason_of
from neotoma_core.workers.allowances import Allowance
from neotoma_core.workers.framing import Late, Line, TooLong, from_bytes, to_bytes

_CODE: Final = (
    "import gc, sys; gc.set_threshold(100_000, 10, 10); "  # as in ``__main__``
    "life, ahead, *sys.path[:] = sys.argv[1:]; "
    "from neotoma_core.workers.program import main; main(int(life), ahead)"
)
_PYTHON: Final = "python3"  # for a program that Python is a part of
_START_SECONDS: Final = 300.0
_END_SECONDS: Final = 10.0  # of one that hangs in the system itself, which nobody can end
_MOST_SAID: Final = 1 << 20
_BEYOND_STREAMS: Final = 3
_OUT_OF_MEMORY: Final = re.compile(rb"memory allocation|bad_alloc|out of memory", re.IGNORECASE)
_CRASHED: Final = "reading it crashed"
_KILLED: Final = "the process that read it was killed, as happens where memory runs out"


class GaveUp(Exception):
    """A file that could not be read to the end, and why.

    ``late``: it took too long. ``crashed``: a library failed in itself, which nothing but the file
    can have caused.
    """

    def __init__(self, why: str, *, late: bool = False) -> None:
        self.late = late
        self.crashed = why == _CRASHED
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Task:
    """One file to read.

    ``kind``, ``words``: what to do with it, as ``worker`` knows it. ``size``: of all that is read.
    ``folder``: made for it, and gone again where the file could not be read to the end.
    """

    kind: str
    path: Path
    size: int
    allowance: Allowance
    folder: Path | None = None
    words: Mapping[str, object] = field(default_factory=dict)

    def plain(self) -> dict[str, object]:
        """Return the task as plain data."""
        return {
            "kind": self.kind,
            "path": str(self.path),
            "size": self.size,
            "folder": str(self.folder),
            "allowance": asdict(self.allowance),
            **self.words,
        }

    def clear(self) -> None:
        """Remove what a process that was ended has left in the folder."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read, as plain data and tables. Nobody has looked yet whether it makes sense."""

    read: Any
    tables: Mapping[str, bytes]


class WorkerProcess:
    """A process that reads one file after the other.

    It is in a session of its own: an interrupt at the terminal reaches this process alone, and all
    that one starts can be ended together.
    """

    def __init__(self, setting: bytes, scratch: Path | None, *, of_rows: bool) -> None:
        """Start it; what it needs to load is loaded meanwhile, what reads rows where it is to.

        ``setting`` may be given later, before the first question. ``scratch``: a private folder;
        the system's for temporary files where there is none yet.
        """
        self.has_read = False
        self.setting = setting
        self._is_ready = False
        # What native libraries print may quote what they read: for the eyes of this class only.
        with tempfile.TemporaryFile(dir=scratch) as said:
            self._said = os.dup(said.fileno())
        end, self._life = os.pipe()
        others = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _BEYOND_STREAMS)  # if some were closed
        os.close(end)
        # -P: modules are looked for where this process looks, not in the folder it is run in.
        code = [sys.executable or _PYTHON, "-P", "-c", _CODE]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                [
                    *code,
                    str(others),
                    "rows" * of_rows,
                    *(place or str(Path.cwd()) for place in sys.path),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                start_new_session=True,
                pass_fds=(others,),
            )
        except BaseException as error:
            os.close(self._said)
            os.close(self._life)
            if isinstance(error, OSError) and error.errno != errno.ENOMEM:
                raise _not_started(reason_of(error).lower()) from error
            raise
        finally:
            os.close(others)
        assert self._process.stdin is not None  # noqa: S101 - they are pipes, as asked for
        assert self._process.stdout is not None  # noqa: S101
        self._line = Line(self._process.stdin.fileno(), self._process.stdout.fileno())

    def ask(self, task: Task) -> Answer:
        """Return what a file holds; raises GaveUp, and then this process is of no use any longer.

        Raises OSError for a failure of the system that is not the file's, FileUnusable where the
        process does not start.
        """
        self._wait_until_ready()
        allowed = task.allowance.of_size(task.size)
        until = time.monotonic() + allowed.seconds
        self.has_read = True
        try:
            plain = {**task.plain(), "allowance": asdict(allowed)}
            self._line.write(to_bytes(plain), until)
            return self._answer(allowed, until)
        except Late:
            why, late = f"reading it took longer than {allowed.seconds:,.0f} seconds", True
        except (TooLong, MemoryError):
            why, late = _lacking(allowed), False
        except (EOFError, BrokenPipeError):
            why, late = self._end_of(allowed)
        except NotAsModelled:
            why, late = _CRASHED, False
        raise GaveUp(why, late=late)

    def _wait_until_ready(self) -> None:
        if self._is_ready:
            return
        try:
            until = time.monotonic() + _START_SECONDS
            self._line.read(0, until)
            self._line.write(self.setting, until)
        except (Late, TooLong, EOFError, BrokenPipeError):
            raise _not_started("it ended before it had begun") from None
        self._is_ready = True

    def _answer(self, allowed: Allowance, until: float) -> Answer:
        left = allowed.memory
        block = self._line.read(left, until)
        document = from_bytes(block)
        if not isinstance(document, dict):
            raise NotAsModelled("", "a document")
        if document.get("lacks") == "room":
            raise GaveUp(f"reading it would write more than {allowed.written / 1e9:,.1f} GB")
        if "lacks" in document:
            raise MemoryError
        if "failed" in document:
            raise GaveUp(f"it cannot be read: {read(str, document['failed'], 'failed')}")
        if "system" in document:
            number, path = read(tuple[int, str | None], document["system"], "system")
            raise OSError(number, os.strerror(number), path)
        tables = {}
        for name in read(tuple[str, ...], document.get("tables"), "tables"):
            left -= len(block)
            block = tables[name] = self._line.read(max(0, left), until)
        return Answer(document.get("read"), tables)

    def _end_of(self, allowed: Allowance) -> tuple[str, bool]:
        """Return why the process ended by itself, and whether it had taken too long."""
        self.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        if self._process.returncode == -signal.SIGXCPU:
            return f"reading it took longer than {allowed.seconds:,.0f} seconds", True
        if _OUT_OF_MEMORY.search(os.pread(self._said, _MOST_SAID, 0)):
            return _lacking(allowed), False
        return _KILLED if self._process.returncode == -signal.SIGKILL else _CRASHED, False

    def kill(self) -> None:
        """Kill the process and all it started; whoever waits for its answer learns of it."""
        if self._process.returncode is None:  # else its number may be another one's by now
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the process and release it; only for callers that wait for no answer."""
        self.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        for descriptor in (self._life, self._said):
            os.close(descriptor)


def _not_started(why: str) -> FileUnusable:
    return FileUnusable(
        Path(sys.executable or _PYTHON),
        f"midden cannot start it as a process of its own, to read copies in: {why}",
        "see whether it can be run, and how many processes you may have",
    )


def _lacking(allowed: Allowance) -> str:
    return f"reading it needs more memory than {allowed.memory / 1e9:,.1f} GB"
