"""A program that is forked off a loaded process is what it is when Python is started for it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.forks.asking import Fork, python, server

PROGRAMS = {
    "words": "import sys; print(sys.argv)",
    "streams": "import sys; print(sys.stdin.read(), end=''); print('said', file=sys.stderr)",
    "bytes": "import os; print(ascii(os.environ['ODD']))",
    "environment": "import os; print(sorted(n for n in os.environ if n not in ('_', 'LC_CTYPE')))",
    "folder": "import os; print(os.getcwd())",
    "umask": "import os; print(oct(os.umask(0)))",
    "descriptors": "import os; print([n for n in range(64) if os.path.exists(f'/dev/fd/{n}')])",
    "code": "raise SystemExit(7)",
    "code of words": "raise SystemExit('why')",
    "code of an error": "int('x')",
    "no code": "import os; os._exit(77)",
    "signal": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "crash": "import ctypes; ctypes.string_at(0)",
    "main": "import __main__; print(__main__.__name__, 'os' in vars(__main__))",
    "at its end": "import atexit; atexit.register(print, 'bye')",
    "threads": "import threading; threading.Thread(target=print, args=('late',)).start()",
    "its temporary folder": "import tempfile; print(tempfile.gettempdir())",
}


def run(program: str | Path, code: str, folder: Path) -> tuple[int, str, list[str]]:
    """Return how a program ended, what it printed, and the last line of its errors."""
    done = subprocess.run(
        [program, "-c", code, "a", "ü b"],
        input="typed\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        umask=0o027,
        env={"ODD": "\udcff=ü", "PATH": os.defpath, "TMPDIR": str(folder)},
    )
    return done.returncode, done.stdout, done.stderr.splitlines()[-1:]


@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS)
def test_a_fork_does_what_a_start_does(code: str, tmp_path: Path) -> None:
    assert run(python(), code, tmp_path) == run(sys.executable, code, tmp_path)


def test_a_fork_is_known_by_its_number_until_its_end_is_heard(tmp_path: Path) -> None:
    with (tmp_path / "nothing").open("w+b") as nothing:
        streams = dict.fromkeys(range(3), nothing.fileno())
        words = ("-P", "-c", "import time; time.sleep(100000)")
        fork = Fork(server(), words, streams, {}, session=True)
        assert os.getpgid(fork.pid) == fork.pid == os.getsid(fork.pid)
        with pytest.raises(subprocess.TimeoutExpired):
            fork.wait(0)
        os.killpg(fork.pid, signal.SIGKILL)
        os.kill(fork.pid, 0)
        assert fork.wait() == -signal.SIGKILL


def test_many_at_once_do_not_meet(tmp_path: Path) -> None:
    said: dict[int, str] = {}

    def ask(number: int) -> None:
        said[number] = run(python(), f"print({number})", tmp_path)[1]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == {number: f"{number}\n" for number in range(8)}
