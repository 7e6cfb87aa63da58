"""``midden`` with one of its system calls failing, in SQLite and other native libraries, too.

``python -m tests.crash.failing``, with the library made of ``failing_calls.c`` preloaded, answers
each request on a line with a line. A request is carried out in a process forked off here, where all
modules are loaded and nothing has begun.
"""

import ctypes
import dataclasses
import errno
import importlib
import json
import os
import pkgutil
import resource
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CALLS: Final = (
    "read",
    "write",
    "sync",
    "open",
    "create",
    "rename",
    "remove",
    "mkdir",
    "truncate",
    "list",
)
_CPU_SECONDS: Final = 60
_NO_ANSWER: Final = 99


@dataclass(frozen=True, slots=True)
class Request:
    """Words for ``midden``, and which call below ``folder`` fails how; with number 0, none does."""

    words: tuple[str, ...]
    folder: str
    call: str = "read"
    number: int = 0
    error: int = errno.EIO
    for_good: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """How it ended. ``seen``: calls of that kind there were; ``struck``: the file one failed on."""

    code: int
    out: str
    err: str
    seen: int = 0
    struck: str = ""


class Failing:
    """The process that forks them off."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, request: Request) -> Answer:
        """Return how a request ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(dataclasses.asdict(request)) + "\n")  # noqa: TID251
        self._process.stdin.flush()
        return Answer(**json.loads(self._process.stdout.readline()))


@contextmanager
def failing(folder: Path) -> Iterator[Failing]:
    """Build the library in ``folder`` and start that process, until the block ends."""
    library = folder / "failing_calls.so"
    source = Path(__file__).with_name("failing_calls.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.failing", library],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(library)},  # noqa: TID251 - a child's
    ) as process:
        yield Failing(process)
        process.communicate()


def main() -> None:
    """Answer line by line."""
    library = ctypes.CDLL(sys.argv[1])
    library.seen.restype = ctypes.c_long
    library.struck.restype = ctypes.c_char_p
    _load_all()
    for line in sys.stdin:
        told = json.loads(line)
        request = Request(**{**told, "words": tuple(told["words"])})
        with tempfile.TemporaryDirectory() as scratch:
            facts = _carry_out(request, Path(scratch), library)
        print(json.dumps(facts), flush=True)  # noqa: T201, TID251 - the answer


def _load_all() -> None:
    import neotoma_core  # noqa: PLC0415

    for module in pkgutil.walk_packages(neotoma_core.__path__, "neotoma_core."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _carry_out(request: Request, scratch: Path, library: ctypes.CDLL) -> Mapping[str, int | str]:
    child = os.fork()
    if child == 0:
        try:
            os._exit(_midden(request, scratch, library))
        except BaseException:  # noqa: BLE001 - the end of this process
            (scratch / "err").write_text(traceback.format_exc())
            os._exit(_NO_ANSWER)
    _, status = os.waitpid(child, 0)
    told = {n: (scratch / n).read_text(errors="replace") for n in ("out", "err")}
    seen, _, struck = (scratch / "facts").read_text().partition(" ")
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, **told, "seen": int(seen), "struck": struck}


def _midden(request: Request, scratch: Path, library: ctypes.CDLL) -> int:
    """Be the command, as a process of its own is."""
    from neotoma_core.cli import main as command  # noqa: PLC0415

    streams = ((0, os.devnull, os.O_RDONLY), (1, scratch / "out", os.O_WRONLY | os.O_CREAT))
    for number, path, flags in (*streams, (2, scratch / "err", os.O_WRONLY | os.O_CREAT)):
        os.dup2(os.open(path, flags, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    (scratch / "facts").write_text("0 ")
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))  # where it never ends
    os.chdir(request.folder)
    temporary = Path(request.folder) / "tmp"
    tempfile.tempdir = str(temporary)
    os.environ.update(TMPDIR=str(temporary))  # noqa: TID251 - a child's
    sys.argv = ["midden", *request.words]
    code: object = 1
    library.arm(
        CALLS.index(request.call),
        request.error,
        ctypes.c_long(request.number),
        request.for_good,
        os.fsencode(request.folder),
    )
    try:
        command()
    except SystemExit as ended:
        code = ended.code
    (scratch / "facts").write_text(f"{library.seen()} {os.fsdecode(library.struck())}")
    return int(str(code or 0))


if __name__ == "__main__":
    main()
