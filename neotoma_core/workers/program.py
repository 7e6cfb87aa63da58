"""The process that reads files from outside for another one: it may crash, hang or be killed.

It does one task after the other, as its standard input asks for them, and answers on its standard
output; for everything else in it, both lead nowhere. ``workers`` starts it and ends it.
"""

import errno
import fcntl
import importlib
import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final

from neotoma_core.documents.stored_file import StoredFile
from neotoma_core.errors import BackupError, TargetLocked, is_panic
from neotoma_core.files.compressed import NotIntact, decompress_file
from neotoma_core.salvage.condition import condition_of, proven_whole
from neotoma_core.salvage.declarations import mentions_neotoma
from neotoma_core.unpacking.budgets import Limits
from neotoma_core.unpacking.unpack import unpack, unpack_raw_files
from neotoma_core.unpacking.walking import FoundFile
from neotoma_core.workers.allowances import Allowance, restrict
from neotoma_core.workers.answers import Answer, plain_of_refusal, plain_of_unpacked
from neotoma_core.workers.framing import (
    from_bytes,
    read_block,
    to_bytes,
    wait_until_gone,
    write_block,
)

_MEMORY: Final = "memory"
_LACKING: Final = {errno.ENOMEM: _MEMORY, errno.EFBIG: "room"}
_WITH_ROWS: Final = "neotoma_core.workers.thorough"
_OF_ARCHIVES: Final = "neotoma_core.workers.archive_tasks"
_ASKED_EVERY: Final = 2.0  # seconds: whether whoever started this process is still there


def main(life: int, ahead: str = "") -> None:
    """Answer task by task, until nobody asks any longer.

    ``life``: the end of a pipe that closes where the process that asks ends. ``ahead``: not empty
    where what reads rows, and takes a while to load, is wanted for sure.
    """
    os.putenv("RUST_BACKTRACE", "0")  # nobody reads it, and it takes seconds to make
    requests, answers = _pipes()
    _die_with(life)
    threading.Thread(target=_end_with, args=(life, os.getppid()), daemon=True).start()
    if ahead:
        importlib.import_module(_WITH_ROWS)
    write_block(answers, b"")
    setting = read_block(requests) or b""
    while (block := read_block(requests)) is not None:
        document, tables = _answer(from_bytes(block), setting)
        write_block(answers, to_bytes({**document, "tables": list(tables)}))
        for table in tables.values():
            write_block(answers, table)


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return standard input and output, and let both lead nowhere for everybody else."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    return requests, answers


def _die_with(life: int) -> None:
    """Let the system end this process and what it starts once that pipe closes.

    Whatever it does then: a library that holds Python's lock lets no thread of Python's run.
    """
    with suppress(OSError):  # a system that cannot, or where such a signal ends nothing
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(life, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)


def _end_with(life: int, parent: int) -> None:
    """End this process, and what it started, once the one that started it is gone."""
    while not wait_until_gone(life, _ASKED_EVERY):
        if os.getppid() != parent:  # somebody else may have inherited the pipe
            break
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def _answer(task: Mapping[str, Any], setting: bytes) -> Answer:
    if task["kind"] in _LOADED:  # before the limits, which are for the file
        importlib.import_module(_LOADED[task["kind"]])
    restrict(Allowance(**task["allowance"]), task["size"])
    try:
        return TASKS[task["kind"]](task, setting)
    except MemoryError:
        return {"lacks": _MEMORY}, {}
    except OSError as error:
        if error.errno in _LACKING:
            return {"lacks": _LACKING[error.errno]}, {}
        return {"system": [error.errno or errno.EIO, error.filename and str(error.filename)]}, {}
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        return {"failed": type(error).__name__}, {}


def _examine(task: Mapping[str, Any], setting: bytes) -> Answer:
    from neotoma_core.workers.thorough import examine_copy  # noqa: PLC0415 - loads much

    return examine_copy(task, setting)


def _salvage(task: Mapping[str, Any], _setting: bytes) -> Answer:
    from neotoma_core.workers.thorough import salvage_copy  # noqa: PLC0415 - loads much

    return salvage_copy(task)


def _survey_archive(task: Mapping[str, Any], _setting: bytes) -> Answer:
    from neotoma_core.workers.archive_tasks import survey_archive  # noqa: PLC0415 - loads much

    return survey_archive(task)


def _secure_archive(task: Mapping[str, Any], _setting: bytes) -> Answer:
    from neotoma_core.workers.archive_tasks import secure_one_archive  # noqa: PLC0415 - loads much

    return secure_one_archive(task)


def _look_into_archive(task: Mapping[str, Any], setting: bytes) -> Answer:
    from neotoma_core.workers.archive_tasks import look_into_archive  # noqa: PLC0415 - loads much

    return look_into_archive(task, setting)


def _decompress(task: Mapping[str, Any], _setting: bytes) -> Answer:
    path, file = Path(task["path"]), StoredFile(**task["file"])
    try:
        decompress_file(path.parent, file, Path(task["plain"]))
    except NotIntact as error:
        return {"read": error.wrong.removeprefix(f"{file.name}: ")}, {}
    return {"read": ""}, {}


def _unpack(task: Mapping[str, Any], _setting: bytes) -> Answer:
    folder = Path(task["folder"])
    folder.mkdir(mode=0o700)
    taken = list(unpack(_read_found(task), folder, Limits(**task["limits"])))
    return {"read": plain_of_unpacked(taken, folder)}, {}


def _unpack_raw_files(task: Mapping[str, Any], _setting: bytes) -> Answer:
    beside = Path(task["beside"])
    return {
        "read": unpack_raw_files(
            _read_found(task), task["member"], beside, Limits(**task["limits"])
        )
    }, {}


def _read_found(task: Mapping[str, Any]) -> FoundFile:
    return FoundFile(Path(task["path"]), task["of"], task["size"], task["mtime_ns"])


def _prove(task: Mapping[str, Any], _setting: bytes) -> Answer:
    path, shown, folder = (Path(task[name]) for name in ("path", "shown", "folder"))
    try:
        whole = proven_whole(path, shown, folder, task["check"])
    except TargetLocked:
        return {"read": "locked"}, {}
    except BackupError as error:
        return {"read": plain_of_refusal(error)}, {}
    return {"read": {"whole": None if whole == path else str(whole.relative_to(folder))}}, {}


def _condition(task: Mapping[str, Any], _setting: bytes) -> Answer:
    try:
        found = condition_of(Path(task["path"]), Path(task["folder"]))
    except TargetLocked:
        return {"read": "locked"}, {}
    return {"read": found and asdict(found)}, {}


def _mentions(task: Mapping[str, Any], _setting: bytes) -> Answer:
    return {"read": mentions_neotoma(Path(task["path"]))}, {}


TASKS: Final[dict[str, Callable[[Mapping[str, Any], bytes], Answer]]] = {
    "examine": _examine,
    "salvage": _salvage,
    "unpack": _unpack,
    "unpack raw files": _unpack_raw_files,
    "prove": _prove,
    "condition": _condition,
    "mentions": _mentions,
    "decompress": _decompress,
    "survey archive": _survey_archive,
    "secure archive": _secure_archive,
    "look into archive": _look_into_archive,
}
_LOADED: Final = {
    "examine": _WITH_ROWS,
    "salvage": _WITH_ROWS,
    "survey archive": _OF_ARCHIVES,
    "secure archive": _OF_ARCHIVES,
    "look into archive": _OF_ARCHIVES,
}
