"""One run of any operation: the database it is about, which takes part, and in which vault."""

import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from neotoma_core.errors import BackupUnreadable, EnvironmentMismatch, TargetError, reason_of
from neotoma_core.files.keys import KeySource
from neotoma_core.neotoma.environments import Environment, environment_of
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.report.layout import escape_name
from neotoma_core.sqlite.copies import CopiedFile
from neotoma_core.vault.folder import RunFolders

if TYPE_CHECKING:
    from neotoma_core.archive_tables.as_backup import SecuredArchive


@dataclass(frozen=True, slots=True)
class DatabaseRef:
    """One database of the run.

    ``number``: TARGET, or its place among the backups that are used, from 0. ``label``: what it
    is called in reports and in the vault; it stays when a backup before it turns out unreadable.
    ``origin``: the file it was unpacked or salvaged from, and ``member`` what it is called in it.
    ``raw_places``: the folders in which folders of its raw files may be. ``cut_short``: why not all
    of an archive could be unpacked, if so.
    ``suspect``: it was salvaged: rows that nothing proves whole are set aside, and none of its rows
    wins over that of another database.
    ``archived``: what was built of an archive, where ``path`` is one. ``called``: what reports call
    a database that was brought here from elsewhere.
    """

    number: int
    label: str
    path: Path
    environment: Environment | None
    origin: Path | None = None
    member: str = ""
    suspect: bool = False
    raw_places: tuple[Path, ...] = ()
    cut_short: str = ""
    archived: "SecuredArchive | None" = None
    called: str = ""

    @property
    def found_at(self) -> Path:
        """Where the user has it: the file itself, or what it came out of."""
        return self.origin or self.path

    @property
    def named(self) -> Path:
        """The place as the user would name it."""
        return Path(f"{self.found_at}!{self.member}") if self.member else self.found_at

    @property
    def shown(self) -> str:
        """The place as reports show it."""
        if self.called:
            return self.called
        return escape_name(str(self.named)) if self.origin else str(self.named)


@dataclass(frozen=True, slots=True)
class Ruin:
    """What is left of a target that cannot be used as it is: a new file is to take its place.

    ``state``, ``problem``: what is wrong with it. ``folder``, ``files``: the evidence of it.
    ``base``: where all its rows could be read, a copy with the rest of it recreated, which counts
    as the target. ``means``: how else rows were salvaged, empty where none could be; ``advice``:
    what may salvage more.
    """

    state: str
    problem: str
    folder: Path
    files: tuple[CopiedFile, ...]
    base: Path | None = None
    means: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run, from its start to its report.

    ``path``: the place of the database it is about, which messages name. ``target``: that database;
    None where it is not read, does not exist yet, or is a ``ruin``. ``key``: where the key of
    encrypted columns is, if anywhere. ``raw_storage``: where Neotoma keeps the raw files of that
    database, if not next to it.
    """

    folders: RunFolders
    path: Path
    target: DatabaseRef | None
    started: datetime
    key: KeySource | None = None
    raw_storage: Path | None = None
    ruin: Ruin | None = None

    @property
    def target_existed(self) -> bool:
        """Whether there was a file in the target's place."""
        return self.target is not None or self.ruin is not None

    @property
    def databases(self) -> tuple[DatabaseRef, ...]:
        """The databases that take part, the target first where there is one."""
        return (self.target,) if self.target else ()

    @property
    def others(self) -> tuple[DatabaseRef, ...]:
        """The databases that take part besides the target."""
        return tuple(one for one in self.databases if one.number != TARGET)

    @property
    def target_environment(self) -> Environment | None:
        """The environment the target's name speaks of, also where it does not exist yet."""
        return environment_of(self.path.name)


@dataclass(frozen=True, slots=True)
class TargetRun(Run):
    """A run whose target is there."""

    target: DatabaseRef


def require_readable(path: Path) -> None:
    """Raise BackupUnreadable where ``path`` is not a readable regular file.

    A device has no end, and a pipe that nobody writes to keeps whoever opens it.
    """
    if path.is_dir():
        raise BackupUnreadable(path, "a folder", "name the database file in it")
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BackupUnreadable(
                path, "a device, pipe or socket", "copy its output into a file and name that"
            )
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError as error:
        raise BackupUnreadable(path, "there is no such file", "check the spelling") from error
    except PermissionError as error:
        raise BackupUnreadable(
            path, "no permission to read it", "change its permissions"
        ) from error
    except OSError as error:
        raise BackupUnreadable(path, reason_of(error), "copy it to another disk first") from error


def target_of(path: Path) -> DatabaseRef | None:
    """Return the database at ``path``; None where there is none and one can be created.

    Raises TargetError.
    """
    if not path.exists() and not path.is_symlink():
        if not path.absolute().parent.is_dir():
            raise TargetError(
                path, "its folder does not exist", "connect its disk, or create the folder"
            )
        return None
    try:
        require_readable(path)
    except BackupUnreadable as error:
        raise TargetError(path, error.wrong, error.advice) from error
    return DatabaseRef(TARGET, "target", path, environment_of(path.name))


def require_environment(backup: Path, theirs: Environment | None, target: Path) -> None:
    """Raise EnvironmentMismatch where a backup is of another environment than a target's name."""
    ours = environment_of(target.name)
    if theirs and ours and theirs != ours:
        raise EnvironmentMismatch(backup, theirs, ours)
