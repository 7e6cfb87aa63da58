"""Reading one copy wherever it lies, without leaving a trace beside it.

Invariant: a database with a log is read from a private copy of all its files. One without is read
where it lies, ``immutable``; should it change meanwhile, what was read counts for nothing, and a
private copy is read instead.
"""

import mmap
import shutil
import stat
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar

from neotoma_core.errors import BackupDamaged, BackupError, NotNeotoma, TargetLocked
from neotoma_core.store.copies import copy_database, sha256_of
from neotoma_core.store.databases import check_integrity, connect_read_only, make_whole
from neotoma_core.store.holdings import Coder, Holdings, read_holdings
from neotoma_core.store.inspection import inspect_database
from neotoma_core.store.keys import KeySource
from neotoma_core.store.salvage import Salvaged, salvage
from neotoma_core.store.sqlite_files import companion, read_header
from neotoma_core.store.walking import speaks_of_neotoma

T = TypeVar("T")
State = Literal["sound", "damaged", "truncated", "unreadable", "empty", "busy"]
Journal = Literal["none", "wal", "journal"]

_SIGNS: Final = tuple(
    f"CREATE TABLE {name}".encode()
    for table in ("observations", "relationship_observations", "entity_snapshots")
    for name in (table, f'"{table}"')
)
_BUSY: Final = "another program keeps it to itself, or writes to it without a pause"


@dataclass(frozen=True, slots=True)
class Examined:
    """One copy, read.

    ``content``: what identifies its bytes, log included. ``journal``: the file beside it that holds
    part of its rows, and ``journal_bytes`` of it. ``holdings``: None where no row could be read;
    where ``salvaged`` is not None they are those of the salvaged database. ``problem`` says what is
    wrong with a copy that is not sound.
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


@dataclass(frozen=True, slots=True)
class _Reading:
    """By what a copy is read: a folder for scratch, codes for ids, a key for what is sealed."""

    folder: Path
    coder: Coder
    key: KeySource | None


def examine(
    path: Path, shown: Path, folder: Path, coder: Coder, key: KeySource | None = None
) -> Examined | None:
    """Read the copy at ``path``; None where it is no copy of a Neotoma database.

    ``key``: opens what is sealed in rows that were salvaged, so that they can be proven.
    ``shown`` is what messages name; ``folder``, which is created, is scratch of its own. What was
    salvaged stays there; everything else that was written there is removed.
    """
    folder.mkdir(mode=0o700)
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            return None
        if not facts.st_size:
            named = speaks_of_neotoma(path.name)
            return _without_rows(path, "empty", "the file is empty") if named else None
        if read_header(path) is None:
            return _without_rows(path, "unreadable", "not a SQLite database")
        return _read(path, shown, _Reading(folder, coder, key))
    except TargetLocked:
        return _without_rows(path, "busy", _BUSY)
    except OSError as error:
        return _without_rows(path, "unreadable", error.strerror or "cannot be read")
    finally:
        for scratch in (folder / "copy", folder / "whole"):
            shutil.rmtree(scratch, ignore_errors=True)


def _read(path: Path, shown: Path, by: _Reading) -> Examined | None:
    if _journal(path)[0] != "none" and not mentions_neotoma(path):
        return None
    return read_at_rest(path, by.folder / "copy", lambda copy: _judged(copy, path, shown, by))


def read_at_rest(path: Path, copies: Path, read: Callable[[Path], T]) -> T:
    """Return what ``read`` makes of a database as it is at one moment.

    It is called with the file itself where that has no log, and again with a copy in the new folder
    ``copies`` should the file change meanwhile. Raises TargetLocked, and what ``read`` raises.
    """
    if _journal(path)[0] == "none":
        before = _marks(path)
        found = read(path)
        if _marks(path) == before:
            return found
    copies.mkdir()
    copy_database(path, copies)
    return read(copies / path.name)


def _judged(copy: Path, path: Path, shown: Path, by: _Reading) -> Examined | None:
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
        if not mentions_neotoma(copy):
            return None
        return _salvaged(copy, path, by, (state_of_damaged(copy, error), error.wrong))
    return Examined("sound", "", _content(copy), *_facts(path), holdings)


def state_of_damaged(copy: Path, error: BackupError) -> State:
    """Return in which way a copy cannot be used."""
    header = read_header(copy)
    if header is not None and copy.stat().st_size < header.pages * header.page_size:
        return "truncated"
    return "damaged" if isinstance(error, BackupDamaged) else "unreadable"


def _salvaged(copy: Path, path: Path, by: _Reading, judged: tuple[State, str]) -> Examined:
    """Return what can be saved of a copy that SQLite refuses."""
    content, folder = _content(copy), by.folder
    if copy == path:
        (folder / "copy").mkdir(exist_ok=True)
        copy = Path(shutil.copyfile(path, folder / "copy" / path.name))
    whole = folder / "whole" / "whole.db"  # with the rows of its log, as far as SQLite got
    saved = (salvage(whole, folder) if whole.exists() else None) or salvage(copy, folder)
    holdings = None
    if saved is not None:
        with suppress(BackupError):
            holdings = read_holdings(saved.database, path, by.coder, suspect=True, key=by.key)
    saved = saved if holdings is not None else None
    state, problem = judged
    return Examined(state, problem, content, *_facts(path), holdings, saved)


def unexamined(path: Path) -> Examined:
    """Return what is known of a file that is no copy by what is in it, and is one all the same."""
    return _without_rows(path, "unreadable", "")


def _without_rows(path: Path, state: State, problem: str) -> Examined:
    try:
        return Examined(state, problem, f"{state} {path}", *_facts(path), None)
    except OSError:
        return Examined("unreadable", "it is gone", f"gone {path}", 0, 0, "none", 0, None)


def _facts(path: Path) -> tuple[int, int, Journal, int]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns, *_journal(path)


def _journal(path: Path) -> tuple[Journal, int]:
    kinds: tuple[tuple[str, Journal], ...] = (("-wal", "wal"), ("-journal", "journal"))
    for suffix, kind in kinds:
        with suppress(FileNotFoundError):
            return kind, companion(path, suffix).stat().st_size
    return "none", 0


def _marks(path: Path) -> tuple[int, int, Journal, int]:
    """Return what changes when a database is written to."""
    return _facts(path)


def _content(copy: Path) -> str:
    parts = [sha256_of(copy)]
    for suffix in ("-wal", "-journal"):
        with suppress(FileNotFoundError):
            parts.append(f"{suffix}:{sha256_of(companion(copy, suffix))}")
    return " ".join(parts)


def mentions_neotoma(path: Path) -> bool:
    """Return whether Neotoma's log is declared anywhere in a database's files, damaged or not."""
    return holds(path, _SIGNS) or holds(companion(path, "-wal"), _SIGNS)


def holds(path: Path, signs: Sequence[bytes]) -> bool:
    """Return whether a file is there and has any of some bytes anywhere."""
    with suppress(FileNotFoundError), path.open("rb") as opened:
        if path.stat().st_size:
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                return any(mapped.find(sign) >= 0 for sign in signs)
    return False
