"""Operations on a vault that are killed at a step, or whose n-th write fails.

Run as ``python -m tests.crash.doomed``: each line on standard input is an operation, a folder with
a vault as ``tests/support/backing_up.py`` makes it, and a doom; it is carried out in a process
forked off here, where all modules are loaded and nothing has begun. The answer is that process's
exit code, and for ``count`` how many writes there were.

A write is whatever Python tells of before it does it (files opened for writing, made, renamed or
removed), each write to a file by descriptor, and each sync. What SQLite writes by itself is not
among them; ``tests/cli/test_full_disk.py`` fails that.
"""

import os
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Final, Self

from neotoma_core.backup.prune import prune_backups
from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.retention import RetentionPolicy
from neotoma_core.backup.take import back_up
from neotoma_core.backup.verify import VerifyRequest, verify_backups
from neotoma_core.errors import MiddenError
from neotoma_core.files import atomic
from neotoma_core.files.atomic import observe
from neotoma_core.forget.forget import ForgetRequest, forget_erased
from neotoma_core.guard.reset import ResetRequest, reset
from neotoma_core.report.progress import Silent
from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
from neotoma_core.restore.restore import RestoreRequest, restore
from neotoma_core.restore.sources import find_source
from tests.conftest import NOW
from tests.support.backing_up import PERMISSIVE, Vault
from tests.support.remotes import machine_in

KILLED: Final = 77
WRITES: Final = "writes.txt"
REFUSED: Final = 78  # with an error of ours, or the system's
LATER: Final = NOW + timedelta(days=2)
_CHANGES: Final = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate")


def run(operation: str, folder: Path) -> None:  # noqa: C901 - one branch an operation
    """Carry out one operation."""
    target, vault = Vault(folder).target, Vault(folder).vault
    if operation == "backup":
        back_up(BackupRequest(target, vault, drill=False), LATER, Silent())
    elif operation == "verify":
        verify_backups(VerifyRequest(target, vault, all=True), LATER, Silent())
    elif operation == "restore":
        found = RestoreRequest(find_source("1", vault), target, vault, guard=PERMISSIVE)
        restore(found, LATER, Silent())
    elif operation == "restore-archive":
        archived = RestoreArchiveRequest(folder / "archive", target, vault, guard=PERMISSIVE)
        restore_archive(archived, LATER, lambda _: True, Silent())
    elif operation == "prune":
        prune_backups(vault, target, RetentionPolicy(last=1), LATER, lambda _: True)
    elif operation == "forget":
        forget_erased(ForgetRequest(target, vault), LATER, lambda _: True, Silent())
    elif operation == "reset":
        reset(ResetRequest(target, vault, PERMISSIVE), LATER, Silent())
    elif operation == "push":
        machine_in(folder / "one").push()
    elif operation == "pull":
        machine_in(folder / "one").pull()
    elif operation == "restore-remote":
        machine_in(folder / "one").restore(folder / "back" / "neotoma.db")


class Doom:
    """What happens at the n-th of some events: the process is killed, or the write fails."""

    def __init__(self, number: int, happens: Callable[[], None]) -> None:
        self.left = number
        self.seen = 0
        self._happens = happens
        self._one_at_a_time = threading.Lock()

    def strike(self) -> None:
        """Count one event, in whichever thread."""
        with self._one_at_a_time:
            self.seen += 1
            self.left -= 1
            is_doomed = self.left == 0
        if is_doomed:
            self._happens()


def at_step(step: str, number: int, operation: str, folder: Path) -> int:
    """Kill the operation when it reaches a step for the n-th time."""
    doom = Doom(number, lambda: os._exit(KILLED))
    with observe(lambda reached: doom.strike() if reached == step else None):
        run(operation, folder)
    return 0


def failing(number: int, code: int, operation: str, folder: Path) -> int:
    """Let the n-th write fail; returns how many there were where the number is 0."""

    def fails() -> None:
        raise OSError(code, os.strerror(code))

    doom = Doom(number, fails)
    _watch_writes(doom)
    try:
        run(operation, folder)
    except (MiddenError, OSError):
        return REFUSED
    return 0 if number else min(doom.seen, 255)


def at_write(number: int, operation: str, folder: Path) -> int:
    """Kill the operation before its n-th write; where n is 0, count them into a file."""
    doom = Doom(number, lambda: os._exit(KILLED))
    _watch_writes(doom)
    run(operation, folder)
    if not number:
        (folder / WRITES).write_text(str(doom.seen))
    return 0


def _watch_writes(doom: Doom) -> None:
    def audit(event: str, words: tuple[Any, ...]) -> None:
        writes = (
            event == "open" and isinstance(words[2], int) and words[2] & (os.O_CREAT | os.O_RDWR)
        )
        if event in _CHANGES or writes:
            doom.strike()

    sync, whole = os.fsync, atomic.sync_file_system
    opened, written = os.fdopen, os.write

    def fsync(descriptor: int) -> None:
        doom.strike()
        sync(descriptor)

    def sync_file_system(folder: Path) -> bool:
        doom.strike()
        return whole(folder)

    def write(descriptor: int, content: bytes) -> int:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            doom.strike()
        return written(descriptor, content)

    def fdopen(*words: Any, **named: Any) -> Any:
        return _Watched(opened(*words, **named), doom)

    os.fsync, os.write, os.fdopen = fsync, write, fdopen  # type: ignore[assignment]
    atomic.sync_file_system = sync_file_system
    sys.addaudithook(audit)


class _Watched:
    """A file each of whose writes may fail."""

    def __init__(self, file: IO[bytes], doom: Doom) -> None:
        self._file = file
        self._doom = doom

    def write(self, content: bytes) -> int:
        self._doom.strike()
        return self._file.write(content)

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Doomed:
    """The process that forks them off."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def at_step(self, step: str, number: int, operation: str, folder: Path) -> int:
        """Return how an operation ended that was to be killed at a step."""
        return self._ask("step", step, str(number), operation, str(folder))

    def at_write(self, number: int, operation: str, folder: Path) -> int:
        """Return how an operation ended that was to be killed before its n-th write."""
        return self._ask("kill", str(number), "0", operation, str(folder))

    def failing(self, number: int, code: int, operation: str, folder: Path) -> int:
        """Return how an operation ended whose n-th write failed."""
        return self._ask("fail", str(number), str(code), operation, str(folder))

    def _ask(self, *words: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\t".join(words) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def start_doomed() -> Iterator[Doomed]:
    """Start that process, until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.doomed"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield Doomed(process)
        process.communicate()


def main() -> None:
    """Answer line by line."""
    for line in sys.stdin:
        kind, first, second, operation, folder = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if kind == "step":
                    code = at_step(first, int(second), operation, Path(folder))
                elif kind == "kill":
                    code = at_write(int(first), operation, Path(folder))
                else:
                    code = failing(int(first), int(second), operation, Path(folder))
            except BaseException:  # noqa: BLE001 - the end of this process
                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
