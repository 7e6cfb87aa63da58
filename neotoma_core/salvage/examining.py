"""Reading one copy wherever it lies, without leaving a trace next to it; see ``at_rest``."""

import errno
import shutil
import stat
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from neotoma_core.comparison.holdings import Coder, Holdings, read_holdings
from neotoma_core.errors import (
    BackupError,
    BackupUnreadable,
    NotNeotoma,
    TargetLocked,
    is_panic,
    reason_of,
)
from neotoma_core.files.headers import (
    HEADER_BYTES,
    MAGIC,
    WITH_ROWS,
    companion,
    may_be_sqlite,
    read_header,
)
from neotoma_core.files.keys import KeySource
from neotoma_core.files.regular import CHUNK, is_regular, open_regular
from neotoma_core.salvage.at_rest import (
    Journal,
    State,
    journal_of,
    measure_at_rest,
    read_at_rest,
    require_scratch,
    state_of_damaged,
)
from neotoma_core.salvage.declarations import mentions_neotoma
from neotoma_core.salvage.mending import mend_header
from neotoma_core.salvage.rows import Salvaged, salvage
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.sqlite.inspection import inspect_database
from neotoma_core.sqlite.opening import check_integrity, connect_read_only, make_whole
from neotoma_core.unpacking.walking import speaks_of_neotoma

_BUSY: Final = "another program keeps it locked, or writes to it without a pause"
_MOST_SPARSE: Final = 200
_SPARSE_FROM: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Examined:
    """One copy, read.

    ``content``: what identifies its bytes, log included. ``journal``: the file next to it that
    holds part of its rows, and ``journal_bytes`` of it. ``holdings``: None where no row could be
    read; where ``salvaged`` is not None they are those of the salvaged database. ``problem`` says
    what is wrong with a copy that is not sound. ``gave_up``: the process that read it had to be
    stopped.
    """

    state: State
    problem: str
    content: str
    size: int
    mtime_ns: int
    journal: Journal
    journal_bytes: int
    holdings: Holdings | None
    salvaged: Salvaged | None = None
    gave_up: bool = False


@dataclass(frozen=True, slots=True)
class _Reading:
    """By what a copy is read: a folder for scratch, codes for ids, a key for what is sealed.

    ``damage``: why nothing vouches for its bytes, whatever SQLite says of them; empty where
    something does.
    """

    folder: Path
    coder: Coder
    key: KeySource | None
    damage: str


def examine(  # noqa: PLR0913, PLR0917 - what to read, and by what
    path: Path,
    shown: Path,
    folder: Path,
    coder: Coder,
    key: KeySource | None = None,
    damage: str = "",
) -> Examined | None:
    """Read the copy at ``path``; None where it is not a copy of a Neotoma database.

    ``key``: opens what is sealed in rows that were salvaged, so that they can be proven.
    ``shown`` is what messages name; ``folder``, which is created, is scratch of its own. What was
    salvaged stays there; everything else that was written there is removed. ``damage``: what is
    known to be wrong with its bytes, so that only rows that are proven count.

    Whatever is the matter with the copy, or with a library that reads it, is its ``problem``; but
    raises MemoryError or OSError where reading it takes more memory or room than it may.
    """
    folder.mkdir(mode=0o700)
    try:
        return _examine(path, shown, _Reading(folder, coder, key, damage))
    except TargetLocked:
        return _without_rows(path, "busy", _BUSY)
    except MemoryError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOMEM, errno.EFBIG):
            raise
        return _without_rows(path, "unreadable", reason_of(error))
    except BackupError as error:
        return _without_rows(path, "unreadable", error.wrong)
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        return _without_rows(path, "unreadable", f"it cannot be read: {type(error).__name__}")
    finally:
        for scratch in (folder / "copy", folder / "whole"):
            shutil.rmtree(scratch, ignore_errors=True)


def _examine(path: Path, shown: Path, by: _Reading) -> Examined | None:
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        return None
    if not facts.st_size:
        named = speaks_of_neotoma(path.name)
        return _without_rows(path, "empty", by.damage or "the file is empty") if named else None
    with open_regular(path) as file:
        head = file.read(HEADER_BYTES)
    if not head.startswith(MAGIC) and not may_be_sqlite(head):
        return _without_rows(path, "unreadable", "not a SQLite database")
    for suffix in WITH_ROWS:
        _require_usable(companion(path, suffix))
    if is_mostly_hole(path):
        return _first_pages(path, by)
    if journal_of(path)[0] != "none" and not mentions_neotoma(path):
        return None
    return read_at_rest(path, by.folder / "copy", lambda copy: _judge(copy, path, shown, by))


def _require_usable(log: Path) -> None:
    """Raise BackupUnreadable where a log is what no log can be."""
    if not log.exists():
        return
    wrong = "mostly a hole" if is_mostly_hole(log) else "not a regular file"
    if not is_regular(log) or is_mostly_hole(log):
        raise BackupUnreadable(log, f"its {log.name} is {wrong}", "remove it")


def is_mostly_hole(path: Path) -> bool:
    """Return whether a file says it has far more bytes than are stored."""
    try:
        facts = path.stat()
    except OSError:
        return False
    return facts.st_size > max(_SPARSE_FROM, _MOST_SPARSE * 512 * facts.st_blocks)


def _first_pages(path: Path, by: _Reading) -> Examined | None:
    """Read the pages that a file with far too many bytes says it has, if it can have them."""
    header, facts = read_header(path), path.stat()
    size = header.pages * header.page_size if header is not None else 0
    wrong = f"it says it has {facts.st_size / 1e9:,.1f} GB, but almost nothing is stored"
    if not 0 < size <= max(_SPARSE_FROM, _MOST_SPARSE * 512 * facts.st_blocks):
        return _without_rows(path, "unreadable", wrong)
    copy = by.folder / "copy" / path.name
    copy.parent.mkdir()
    require_scratch(copy.parent, size)
    with open_regular(path) as file, copy.open("xb") as pages:
        while block := file.read(min(CHUNK, size - pages.tell())):
            pages.write(block)
    if not mentions_neotoma(copy) and not speaks_of_neotoma(path.name):
        return None
    return _salvage(copy, path, by, ("damaged", wrong))


def _judge(copy: Path, path: Path, shown: Path, by: _Reading) -> Examined | None:
    """Return what a copy holds and whether it is sound; ``copy`` is only read."""
    try:
        whole = make_whole(copy, shown, by.folder / "whole")
        with closing(connect_read_only(whole)) as connection:
            inspect_database(connection, shown)
            check_integrity(connection, shown)
        holdings = read_holdings(whole, shown, by.coder)
    except NotNeotoma:
        return None
    except BackupError as error:
        if not mentions_neotoma(copy) and not speaks_of_neotoma(path.name):
            return None
        return _salvage(copy, path, by, (state_of_damaged(copy, error), error.wrong))
    if by.damage:
        return _salvage(copy, path, by, ("damaged", by.damage))
    return Examined("sound", "", _content(copy), *measure_at_rest(path), holdings)


def _salvage(copy: Path, path: Path, by: _Reading, judged: tuple[State, str]) -> Examined:
    """Return what can be saved of a copy that SQLite refuses."""
    content, folder = _content(copy), by.folder
    if copy == path:
        (folder / "copy").mkdir(exist_ok=True)
        copy = Path(shutil.copyfile(path, folder / "copy" / path.name))
    mend_header(copy)
    whole = folder / "whole" / "whole.db"  # with the rows of its log, as far as SQLite got
    saved = (salvage(whole, folder) if whole.exists() else None) or salvage(copy, folder)
    holdings = None
    if saved is not None:
        with suppress(BackupError):
            holdings = read_holdings(saved.database, path, by.coder, suspect=True, key=by.key)
    saved = saved if holdings is not None else None
    state, problem = judged
    return Examined(state, problem, content, *measure_at_rest(path), holdings, saved)


def describe_unread(path: Path, problem: str = "") -> Examined:
    """Return what is known of a file that is a copy although nothing of it was read.

    ``problem``: why reading it had to be ended, if it had to.
    """
    return replace(_without_rows(path, "unreadable", problem), gave_up=bool(problem))


def _without_rows(path: Path, state: State, problem: str) -> Examined:
    try:
        return Examined(state, problem, f"{state} {path}", *measure_at_rest(path), None)
    except OSError:
        return Examined("unreadable", "it is gone", f"gone {path}", 0, 0, "none", 0, None)


def _content(copy: Path) -> str:
    parts = [sha256_of(copy)]
    for suffix in WITH_ROWS:
        with suppress(FileNotFoundError):
            parts.append(f"{suffix}:{sha256_of(companion(copy, suffix))}")
    return " ".join(parts)
