"""Reading files from outside in processes of their own; see ``workers``."""

import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from neotoma_core.comparison.holdings import Coder
from neotoma_core.documents.models import NotAsModelled, read
from neotoma_core.documents.stored_file import StoredFile
from neotoma_core.errors import BackupError, BackupUnreadable, TargetError, TargetLocked
from neotoma_core.files.compressed import NotIntact
from neotoma_core.files.headers import companions, follow
from neotoma_core.salvage.condition import Condition
from neotoma_core.salvage.examining import Examined, describe_unread, is_mostly_hole
from neotoma_core.salvage.foreign import foreign_because
from neotoma_core.salvage.rows import Salvaged
from neotoma_core.sqlite.damage import CheckName
from neotoma_core.unpacking.budgets import Limits
from neotoma_core.unpacking.unpack import Unpacked
from neotoma_core.unpacking.walking import FoundFile, speaks_of_neotoma
from neotoma_core.workers.allowances import Allowance
from neotoma_core.workers.answers import (
    condition_from_plain,
    read_unpacked,
    whole_from_plain,
)
from neotoma_core.workers.examined import read_examined, read_salvaged
from neotoma_core.workers.pool import Workers
from neotoma_core.workers.process import GaveUp, Task

_LOCKED = "locked"
SENSELESS = "the process that read it gave an invalid answer"
_ANOTHER = "use another copy"


@dataclass(frozen=True, slots=True)
class Apart:
    """The processes that read, and what reading one file in them may cost."""

    workers: Workers
    allowance: Allowance


def examine_apart(  # noqa: PLR0913, PLR0917 - what to read, and by what
    workers: Workers,
    path: Path,
    shown: Path,
    folder: Path,
    coder: Coder,
    damage: str = "",
    allowance: Allowance = Allowance(),  # noqa: B008 - a frozen value
) -> Examined | None:
    """Read the copy at ``path`` as ``examining.examine`` does, within an allowance.

    Where it cannot be read to the end, the copy is unreadable, and its problem says why. Raises
    OSError for a failure of the system that is not the file's.
    """
    words = {"shown": str(shown), "damage": damage}
    task = Task("examine", path, measure_database(path), allowance, folder, words)
    try:
        answer = workers.ask(task)
        if answer.read is None:
            return None
        return read_examined(answer.read, answer.tables, folder, coder)
    except GaveUp as gave_up:
        why = str(gave_up)
    except NotAsModelled:
        task.clear()
        why = SENSELESS
    is_one = speaks_of_neotoma(path.name) or _may_mention_neotoma(workers, task)
    return describe_unread(path, why) if is_one else None


def _may_mention_neotoma(workers: Workers, task: Task) -> bool:
    """Return whether a file says that it is a copy, or cannot be asked: then it is named."""
    try:
        return workers.ask(Task("mentions", task.path, task.size, task.allowance)).read is not False
    except GaveUp:
        return True


def unpack_apart(
    workers: Workers,
    found: FoundFile,
    folder: Path,
    limits: Limits,
    allowance: Allowance = Allowance(),  # noqa: B008 - a frozen value
) -> list[Unpacked]:
    """Take databases out of a file as ``unpacking.unpack`` does, within an allowance.

    ``folder``, which is created, is there afterwards if anything was taken out. The limits hold
    for what comes out; the allowance holds for what it costs, where they fail.
    """
    allowed = _allow(allowance, limits)
    task = Task("unpack", found.path, found.size, allowed, folder, _words(found, limits))
    try:
        return read_unpacked(workers.ask(task).read, folder)
    except GaveUp as gave_up:
        why = str(gave_up)
    except NotAsModelled:
        why = SENSELESS
    task.clear()
    return [Unpacked(None, "", why)]


def _allow(allowance: Allowance, limits: Limits) -> Allowance:
    return Allowance(
        allowance.seconds + limits.seconds, allowance.memory, max(allowance.written, limits.bytes)
    )


def _words(found: FoundFile, limits: Limits) -> dict[str, object]:
    return {"of": found.kind, "mtime_ns": found.mtime_ns, "limits": asdict(limits)}


def unpack_raw_files_apart(
    apart: Apart, found: FoundFile, member: str, database: Path, limits: Limits
) -> str:
    """Unpack the raw files next to a member as ``unpacking.unpack_raw_files`` does."""
    allowed = _allow(apart.allowance, limits)
    words = {**_words(found, limits), "member": member, "beside": str(database)}
    try:
        task = Task("unpack raw files", found.path, found.size, allowed, words=words)
        problem: str = read(str, apart.workers.ask(task).read, "problem")
    except GaveUp as gave_up:
        return str(gave_up)
    except NotAsModelled:
        return SENSELESS
    return problem


def decompress_apart(apart: Apart, folder: Path, file: StoredFile, plain: Path) -> None:
    """Write what a stored file holds to ``plain`` as ``compressed.decompress_file`` does."""
    words: dict[str, object] = {"file": asdict(file), "plain": str(plain)}
    size = file.size + file.plain_size
    task = Task("decompress", folder / file.name, size, apart.allowance, words=words)
    try:
        wrong: str = read(str, apart.workers.ask(task).read, "wrong")
    except GaveUp as gave_up:
        wrong = str(gave_up)
    except NotAsModelled:
        wrong = SENSELESS
    if wrong:
        plain.unlink(missing_ok=True)
        raise NotIntact(file.name, wrong)


def prove_apart(apart: Apart, database: Path, shown: Path, folder: Path, check: CheckName) -> Path:
    """Return one file with all of a database as ``condition.proven_whole`` does.

    Raises BackupUnreadable also where it cannot be read to the end, or another program keeps it to
    itself.
    """
    read_there = _proven(apart, database, shown, folder, check)
    if read_there == _LOCKED:
        raise BackupUnreadable(shown, "locked by another program", "close the program that uses it")
    try:
        return whole_from_plain(read_there, database, shown, folder)
    except NotAsModelled:
        raise BackupUnreadable(shown, SENSELESS, _ANOTHER) from None
    except BackupError as error:
        # Its own advice is for a recovery, which may go on without it.
        raise type(error)(shown, error.wrong, _ANOTHER) from None


def survive_apart(apart: Apart, database: Path, shown: Path, folder: Path) -> None:
    """Raise BackupUnreadable where what reads a database, and proves its pages, does not survive.

    What else may be wrong with it is for whoever reads it then.
    """
    with suppress(OSError):
        _proven(apart, database, shown, folder, "quick_check")
    shutil.rmtree(folder, ignore_errors=True)


def _proven(apart: Apart, database: Path, shown: Path, folder: Path, check: CheckName) -> object:
    words = {"shown": str(shown), "check": check}
    task = Task("prove", database, measure_database(database), apart.allowance, folder, words)
    try:
        return apart.workers.ask(task).read
    except GaveUp as gave_up:
        raise BackupUnreadable(shown, str(gave_up), _ANOTHER) from None


def condition_apart(apart: Apart, database: Path, folder: Path) -> Condition | None:
    """Return what is wrong with a database as ``condition.condition_of`` does.

    One that crashes whatever reads it is unreadable. Raises TargetLocked, and TargetError where it
    cannot be read for another reason, which may be none of its own.
    """
    task = Task("condition", database, measure_database(database), apart.allowance, folder)
    try:
        answer = apart.workers.ask(task)
        if answer.read == _LOCKED:
            raise TargetLocked(database)
        return condition_from_plain(answer.read)
    except GaveUp as gave_up:
        why, crashed = str(gave_up), gave_up.crashed
    except NotAsModelled:
        task.clear()
        why, crashed = SENSELESS, True
    if crashed:
        return Condition("unreadable", why, foreign_because(follow(database)))
    advice = "run again, or recover into a new file"
    raise TargetError(database, why, advice)


def salvage_apart(apart: Apart, copy: Path, original: Path, folder: Path) -> Salvaged | None:
    """Return what can be saved of a ruin as ``ruins.salvage_ruin`` does; None if nothing."""
    words = {"shown": str(original)}
    task = Task("salvage", copy, measure_database(copy), apart.allowance, folder, words)
    with suppress(GaveUp, NotAsModelled):
        return read_salvaged(apart.workers.ask(task).read, folder)
    task.clear()
    return None


def measure_database(path: Path) -> int:
    """Return how many bytes a database and its log have on the disk."""
    size = 0
    for file in (path, *companions(path)):
        with suppress(OSError):
            facts = file.stat()
            size += 512 * facts.st_blocks if is_mostly_hole(file) else facts.st_size
    return size
