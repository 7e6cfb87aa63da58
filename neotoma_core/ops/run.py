"""A recovery run: which databases take part, in which vault, by which rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from neotoma_core.environments import Environment, environment_of
from neotoma_core.errors import (
    BackupError,
    BackupUnreadable,
    EnvironmentMismatch,
    TargetError,
    UsageError,
)
from neotoma_core.frames import TARGET
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.report.composition import CompositionReport
from neotoma_core.report.layout import escaped
from neotoma_core.store import vault
from neotoma_core.store.archive import is_archive
from neotoma_core.store.keys import KeySource
from neotoma_core.store.vault_run import vault_run
from neotoma_core.tables import MERGED, SECRET, Table


@dataclass(frozen=True, slots=True)
class RecoverRequest:
    """What the user asked for.

    ``key``: where the key of encrypted columns is, if anywhere. ``decisions``: the file that says
    what is kept where rows are in conflict. ``user``: the only user whose rows the backups give,
    where one is named. ``include_auth``: credentials that the target lacks are merged, too.
    ``archived``: what was written is appended to the vault's archive.
    """

    target: Path
    backups: tuple[Path, ...]
    vault: Path
    policy: MergePolicy = field(default_factory=MergePolicy)
    skip_unreadable: bool = False
    allow_environment_mismatch: bool = False
    schemas: Path | None = None
    key: KeySource | None = None
    decisions: Path | None = None
    user: str | None = None
    include_auth: bool = False
    archived: bool = False

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that are merged, what is referred to before what refers to it."""
        return (*MERGED, *(SECRET if self.include_auth else ()))


@dataclass(frozen=True, slots=True)
class DatabaseRef:
    """One database of the run.

    ``number``: TARGET, or its place among the backups that are used, from 0. ``label``: what it
    is called in reports and in the vault; it stays when a backup before it turns out unreadable.
    ``origin``: the file it was unpacked or salvaged from, and ``member`` what it is called in it.
    ``suspect``: it was salvaged: rows that nothing proves whole are set aside, and none of its rows
    wins over that of another database.
    """

    number: int
    label: str
    path: Path
    environment: Environment | None
    origin: Path | None = None
    member: str = ""
    suspect: bool = False

    @property
    def found_at(self) -> Path:
        """Where the user has it: the file itself, or what it came out of."""
        return self.origin or self.path

    @property
    def shown(self) -> str:
        """The place as reports show it."""
        place = f"{self.found_at}!{self.member}" if self.member else str(self.found_at)
        return escaped(place) if self.origin else place


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A backup that takes no part, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Run:
    """One recovery, from its start to its report.

    ``target`` is None where the file does not exist yet. ``left_out`` are backups that could not
    be read; ``repeated`` those that were named twice, by whatever spelling, and are used once.
    ``composition``: why just these backups, where they were searched for.
    """

    request: RecoverRequest
    folders: vault.RunFolders
    target: DatabaseRef | None
    backups: tuple[DatabaseRef, ...]
    left_out: tuple[LeftOut, ...]
    repeated: tuple[Path, ...]
    started: datetime
    composition: CompositionReport | None = None

    @property
    def databases(self) -> tuple[DatabaseRef, ...]:
        """The target, where there is one, and the backups."""
        return (*((self.target,) if self.target else ()), *self.backups)

    @property
    def target_environment(self) -> Environment | None:
        """The environment the target's name speaks of, also where it does not exist yet."""
        return environment_of(self.request.target.name)


@contextmanager
def recovery_run(request: RecoverRequest, now: datetime) -> Iterator[Run]:
    """Check the inputs, take the vault and hold it until the run is over.

    Raises UsageError, BackupUnreadable, TargetError, EnvironmentMismatch, VaultError.
    """
    if not request.backups:
        raise UsageError("no backup was given; name at least one with --backup FILE")
    target = target_of(request.target)
    usable, left_out = _usable(request)
    backups, repeated = _distinct(usable)
    with vault_run(request.vault, request.target, now) as folders:
        yield Run(request, folders, target, backups, left_out, repeated, now)


def require_readable(path: Path) -> None:
    """Raise BackupUnreadable where ``path`` is no file that can be read."""
    if path.is_dir():
        raise BackupUnreadable(path, "a folder", "name the database file in it")
    try:
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError as error:
        raise BackupUnreadable(path, "there is no such file", "check the spelling") from error
    except PermissionError as error:
        raise BackupUnreadable(
            path, "no permission to read it", "change its permissions"
        ) from error
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise BackupUnreadable(path, reason, "copy it to another disk first") from error


def target_of(path: Path) -> DatabaseRef | None:
    """Return the database at ``path``; None where there is none and one can be created."""
    if not path.exists() and not path.is_symlink():
        if not path.absolute().parent.is_dir():
            raise TargetError(path, "its folder does not exist", "create the folder first")
        return None
    require_readable(path)
    return DatabaseRef(TARGET, "target", path, environment_of(path.name))


def _usable(request: RecoverRequest) -> tuple[list[DatabaseRef], tuple[LeftOut, ...]]:
    usable, left_out = [], []
    for path in request.backups:
        try:
            if not is_archive(path):
                require_readable(path)
        except BackupError as error:
            if not request.skip_unreadable:
                raise
            left_out.append(LeftOut(path, error.wrong))
            continue
        usable.append(_backup(path, request))
    return usable, tuple(left_out)


def _backup(path: Path, request: RecoverRequest) -> DatabaseRef:
    if request.target.exists() and path.samefile(request.target):
        raise UsageError(f"{path}: the target was given as its own backup; leave it out")
    environment = environment_of(path.name)
    expected = environment_of(request.target.name)
    mismatch = environment and expected and environment != expected
    if mismatch and not request.allow_environment_mismatch:
        raise EnvironmentMismatch(path, environment or "", expected or "")
    return DatabaseRef(0, "", path, environment)


def _distinct(named: list[DatabaseRef]) -> tuple[tuple[DatabaseRef, ...], tuple[Path, ...]]:
    seen: set[tuple[int, int]] = set()
    backups: list[DatabaseRef] = []
    repeated: list[Path] = []
    for backup in named:
        facts = backup.path.stat()
        if (facts.st_dev, facts.st_ino) in seen:
            repeated.append(backup.path)
            continue
        seen.add((facts.st_dev, facts.st_ino))
        number = len(backups)
        backups.append(replace(backup, number=number, label=f"backup-{number + 1}"))
    return tuple(backups), tuple(repeated)
