"""A recovery run: which databases take part, in which vault, by which rules."""

import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from neotoma_core.archive_tables.as_backup import environment_of_archive
from neotoma_core.archive_tables.tables import is_archive
from neotoma_core.errors import (
    BackupError,
    BackupUnreadable,
    EnvironmentMismatch,
    TargetError,
    UsageError,
    reason_of,
    run_record,
)
from neotoma_core.files.keys import KeySource
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.neotoma.environments import Environment, environment_of
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.neotoma.tables import MERGED, SECRET, Table
from neotoma_core.report.composition import CompositionReport
from neotoma_core.report.layout import escaped
from neotoma_core.runs.named_backups import find_named, open_named, split_member
from neotoma_core.runs.ruin import Ruin
from neotoma_core.snapshots.choosing import AUTO
from neotoma_core.vault import folder as vault
from neotoma_core.vault.lease import vault_run


@dataclass(frozen=True, slots=True)
class RecoverRequest:
    """What the user asked for.

    ``key``: where the key of encrypted columns is, if anywhere. ``decisions``: the file that says
    what is kept where rows are in conflict. ``user``: the only user whose rows the backups give,
    where one is named. ``include_auth``: credentials that the target lacks are merged, too.
    ``archived``: what was written is appended to the vault's archive. ``raw_storage``: where
    Neotoma keeps the target's raw files, if not beside it. ``rules``: by which to reduce; see
    ``snapshots.choosing``.
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
    raw_storage: Path | None = None
    rules: str = AUTO

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
    ``raw_places``: the folders in which folders of its raw files may be. ``cut_short``: why not all
    of an archive could be unpacked, if so.
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
    raw_places: tuple[Path, ...] = ()
    cut_short: str = ""

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
        return escaped(str(self.named)) if self.origin else str(self.named)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A backup that takes no part, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Run:
    """One recovery, from its start to its report.

    ``target`` is None where the file does not exist yet, or is a ``ruin``. ``left_out`` are backups
    that could not be read; ``repeated`` those that were named twice, by whatever spelling, and are
    used once.
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
    ruin: Ruin | None = None

    @property
    def target_existed(self) -> bool:
        """Whether there was a file in the target's place."""
        return self.target is not None or self.ruin is not None

    @property
    def databases(self) -> tuple[DatabaseRef, ...]:
        """The target, where there is one, and the backups."""
        return (*((self.target,) if self.target else ()), *self.backups)

    @property
    def target_environment(self) -> Environment | None:
        """The environment the target's name speaks of, also where it does not exist yet."""
        return environment_of(self.request.target.name)


@contextmanager
def named_run(request: RecoverRequest, now: datetime) -> Iterator[Run]:
    """Check the inputs, take the vault and hold it until the run is over.

    Raises UsageError, BackupUnreadable, TargetError, EnvironmentMismatch, VaultError.
    """
    if not request.backups:
        raise UsageError("no backup was given; name at least one with --backup FILE")
    target = target_of(request.target)
    usable, left_out = _usable(request)
    named, repeated = _distinct(usable)
    with vault_run(request.vault, request.target, now) as folders:
        run_record().inputs.extend(request.backups)
        backups, unopened = _opened(request, named, folders.work / "named")
        if not backups:
            raise UsageError("none of the backups could be read; nothing was changed")
        yield Run(request, folders, target, backups, (*left_out, *unopened), repeated, now)


def require_readable(path: Path) -> None:
    """Raise BackupUnreadable where ``path`` is no regular file that can be read.

    A device has no end, and a pipe that nobody writes to keeps whoever opens it.
    """
    if path.is_dir():
        raise BackupUnreadable(path, "a folder", "name the database file in it")
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BackupUnreadable(
                path, "a device, pipe or socket", "copy what it gives into a file and name that"
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
    """Return the database at ``path``; None where there is none and one can be created."""
    if not path.exists() and not path.is_symlink():
        if not path.absolute().parent.is_dir():
            raise TargetError(path, "its folder does not exist", "create the folder first")
        return None
    require_readable(path)
    return DatabaseRef(TARGET, "target", path, environment_of(path.name))


def _usable(request: RecoverRequest) -> tuple[list[Path], tuple[LeftOut, ...]]:
    """Return the backups named, in their order, less those that nobody can read."""
    usable, left_out = [], []
    for path in request.backups:
        try:
            file, _ = split_member(path)
            if not file.is_dir():
                require_readable(file)
                _require_own(request, file)
        except BackupError as error:
            if not request.skip_unreadable:
                raise
            left_out.append(LeftOut(path, error.wrong))
            continue
        usable.append(path)
    return usable, tuple(left_out)


def _require_own(request: RecoverRequest, path: Path) -> None:
    """Raise where a file is the target, or by its name of another environment than it is."""
    if request.target.exists() and path.samefile(request.target):
        raise UsageError(f"{path}: the target was given as its own backup; leave it out")
    _require_environment(request, path, environment_of(path.name))


def require_environment(backup: Path, theirs: Environment | None, target: Path) -> None:
    """Raise EnvironmentMismatch where a backup is of another environment than a target's name."""
    ours = environment_of(target.name)
    if theirs and ours and theirs != ours:
        raise EnvironmentMismatch(backup, theirs, ours)


def _require_environment(
    request: RecoverRequest, path: Path, environment: Environment | None
) -> None:
    if not request.allow_environment_mismatch:
        require_environment(path, environment, request.target)


def _distinct(named: list[Path]) -> tuple[list[Path], tuple[Path, ...]]:
    seen: set[tuple[int, int, str]] = set()
    backups: list[Path] = []
    repeated: list[Path] = []
    for path in named:
        file, member = split_member(path)
        facts = file.stat()
        place = (facts.st_dev, facts.st_ino, member)
        (repeated if place in seen else backups).append(path)
        seen.add(place)
    return backups, tuple(repeated)


def _opened(
    request: RecoverRequest, named: Sequence[Path], scratch: Path
) -> tuple[tuple[DatabaseRef, ...], tuple[LeftOut, ...]]:
    """Return the database of each backup; what has to be unpacked for it goes into ``scratch``."""
    scratch.mkdir(mode=0o700)
    opened: list[DatabaseRef] = []
    left_out: list[LeftOut] = []
    for place, path in enumerate(named):
        try:
            opened.append(_database(request, path, scratch / str(place), len(opened)))
        except BackupError as error:
            if not request.skip_unreadable:
                raise
            left_out.append(LeftOut(path, error.wrong))
    return tuple(opened), tuple(left_out)


def _database(request: RecoverRequest, path: Path, scratch: Path, number: int) -> DatabaseRef:
    label = f"backup-{number + 1}"
    if is_archive(path):
        environment = environment_of_archive(path)
        _require_environment(request, path, environment)
        return DatabaseRef(number, label, path, environment, raw_places=(path.parent,))
    expected = environment_of(request.target.name)
    backup = open_named(find_named(path, expected), scratch, expected)
    if backup.origin is None:
        require_readable(backup.path)
        _require_own(request, backup.path)
    _require_environment(request, path, backup.environment)
    return DatabaseRef(
        number,
        label,
        backup.path,
        backup.environment,
        origin=backup.origin,
        member=backup.member,
        raw_places=backup.raw_places,
        cut_short=backup.problem,
    )
