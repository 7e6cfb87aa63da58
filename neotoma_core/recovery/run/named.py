"""A recovery from backups that are named: each is checked before the vault is taken."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from neotoma_core.archive_tables.tables import is_archive
from neotoma_core.errors import BackupError, UsageError, run_record
from neotoma_core.neotoma.environments import Environment, environment_of
from neotoma_core.recovery.run.request import LeftOut, RecoverRequest, RecoveryRun
from neotoma_core.recovery.run.ruins import judge_target
from neotoma_core.runs.named_backups import find_named, open_named, split_member
from neotoma_core.runs.run import DatabaseRef, require_environment, require_readable, target_of
from neotoma_core.vault.folder import require_room
from neotoma_core.vault.lease import vault_run
from neotoma_core.workers.allowances import Allowance
from neotoma_core.workers.archives import secure_archive_apart, survey_archive_apart
from neotoma_core.workers.pool import Workers
from neotoma_core.workers.reading import Apart, survive_apart
from neotoma_core.workers.setting import Setting


@contextmanager
def recovery_run(
    request: RecoverRequest,
    now: datetime,
    allowance: Allowance = Allowance(),  # noqa: B008 - a frozen value
) -> Iterator[RecoveryRun]:
    """Check the inputs, the target among them, and hold the vault until the run is over.

    Each is read for the first time in a process apart, within the allowance. Raises UsageError,
    BackupUnreadable, TargetError, EnvironmentMismatch, VaultError.
    """
    if not request.backups:
        raise UsageError("no backup was given; name at least one with --backup FILE")
    target = target_of(request.target)
    usable, left_out = _find_usable(request)
    named, repeated = _split_repeated(usable)
    with vault_run(request.vault, request.target, now) as folders:
        run_record().inputs.extend(request.backups)
        with Workers(Setting(), folders.work) as workers:
            apart = Apart(workers, allowance)
            backups, unopened = _open_each(request, named, folders.work / "named", apart)
            if not backups:
                raise UsageError("none of the backups could be read; nothing was changed")
            begun = RecoveryRun(
                folders,
                request.target,
                target,
                now,
                request.key,
                request.raw_storage,
                request=request,
                backups=backups,
                left_out=(*left_out, *unopened),
                repeated=repeated,
            )
            run = judge_target(begun, apart)
        yield run


def _find_usable(request: RecoverRequest) -> tuple[list[Path], tuple[LeftOut, ...]]:
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


def _require_environment(
    request: RecoverRequest, path: Path, environment: Environment | None
) -> None:
    if not request.allow_environment_mismatch:
        require_environment(path, environment, request.target)


def _split_repeated(named: list[Path]) -> tuple[list[Path], tuple[Path, ...]]:
    """Return each backup once, and those that were named again."""
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


def _open_each(
    request: RecoverRequest, named: Sequence[Path], scratch: Path, apart: Apart
) -> tuple[tuple[DatabaseRef, ...], tuple[LeftOut, ...]]:
    """Open the database of each backup; what has to be unpacked for it goes into ``scratch``."""
    scratch.mkdir(mode=0o700)
    opened: list[DatabaseRef] = []
    left_out: list[LeftOut] = []
    for place, path in enumerate(named):
        try:
            opened.append(_open(request, path, scratch / str(place), len(opened), apart))
        except BackupError as error:
            if not request.skip_unreadable:
                raise
            left_out.append(LeftOut(path, error.wrong))
    return tuple(opened), tuple(left_out)


def _open(
    request: RecoverRequest, path: Path, scratch: Path, number: int, apart: Apart
) -> DatabaseRef:
    label = f"backup-{number + 1}"
    if is_archive(path):
        return _open_archive(request, path, scratch, number, apart)
    expected = environment_of(request.target.name)
    backup = open_named(find_named(path, expected), scratch, expected, apart)
    if backup.origin is None:
        require_readable(backup.path)
        _require_own(request, backup.path)
    _require_environment(request, path, backup.environment)
    survive_apart(apart, backup.path, path, scratch.with_name(f"read-{number}"))
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


def _open_archive(
    request: RecoverRequest, path: Path, scratch: Path, number: int, apart: Apart
) -> DatabaseRef:
    """Open an archive: the database that it describes is built in ``scratch``."""
    surveyed = survey_archive_apart(apart, path)
    _require_environment(request, path, surveyed.environment)
    require_room(scratch.parent, surveyed.bytes)
    skip = request.skip_unreadable
    return DatabaseRef(
        number,
        f"backup-{number + 1}",
        path,
        surveyed.environment,
        raw_places=(path.parent,),
        archived=secure_archive_apart(apart, path, scratch, skip_unreadable=skip),
        called=request.called.get(path, ""),
    )
