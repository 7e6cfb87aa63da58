"""What is put in the place of a target: unpacked, and read first in a process apart."""

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from neotoma_core.errors import BackupUnreadable, TargetError, TargetLocked
from neotoma_core.neotoma.environments import Environment, environment_of
from neotoma_core.restore.sources import RestoreSource
from neotoma_core.runs.named_backups import open_named
from neotoma_core.sqlite.faults import tolerable
from neotoma_core.sqlite.opening import check_integrity, connect_read_only, make_whole
from neotoma_core.vault.manifests import Backup
from neotoma_core.vault.stored_backup import restore_database
from neotoma_core.workers.allowances import Allowance
from neotoma_core.workers.pool import Workers
from neotoma_core.workers.reading import (
    Apart,
    condition_apart,
    decompress_apart,
    prove_apart,
    survive_apart,
)
from neotoma_core.workers.setting import Setting


@dataclass(frozen=True, slots=True)
class Restorable:
    """One whole, sound file to put in the target's place; None where there was none.

    ``raw_places``: the folders in which folders of its raw files may be. ``environment``: of what
    was unpacked. ``problem``: why an archive was not unpacked to its end, if so. ``ruin``: evidence
    of a target that was damaged, which goes back as it is.
    """

    whole: Path | None
    raw_places: tuple[Path, ...] = ()
    environment: Environment | None = None
    problem: str = ""
    ruin: Path | None = None


def unpack(
    source: RestoreSource,
    scratch: Path,
    target: Path,
    allowance: Allowance = Allowance(),  # noqa: B008 - a frozen value
) -> Restorable:
    """Return what is to be put in the target's place, proven.

    It is read for the first time in a process apart, within the allowance. Raises BackupNotIntact,
    BackupDamaged, BackupUnreadable, UsageError.
    """
    scratch.mkdir(parents=True, mode=0o700)
    with Workers(Setting(), scratch) as workers:
        apart = Apart(workers, allowance)
        if source.backup is not None:
            return _from_backup(source, source.backup, scratch, apart)
        if source.origin == "evidence":
            return _from_evidence(source, scratch, apart)
        return _from_outside(source, scratch, target, apart)


def _from_backup(source: RestoreSource, backup: Backup, scratch: Path, apart: Apart) -> Restorable:
    whole, read = scratch / "whole.db", scratch / "read"
    restore_database(source.folder, backup, whole, partial(decompress_apart, apart))
    if _had_its_faults(backup):
        survive_apart(apart, whole, source.folder, read)
    else:
        prove_apart(apart, whole, source.folder, read, "integrity_check")
    return Restorable(whole, environment=source.environment)


def _from_evidence(source: RestoreSource, scratch: Path, apart: Apart) -> Restorable:
    if source.copy is None:
        return Restorable(None)
    try:
        condition = condition_apart(apart, source.copy, scratch / "condition")
    except TargetLocked:
        raise
    except TargetError as error:
        advice = "run again, or choose another evidence folder"
        raise BackupUnreadable(source.copy, error.wrong, advice) from None
    if condition:
        return Restorable(None, environment=source.environment, ruin=source.copy)
    whole = make_whole(source.copy, source.copy, scratch)
    with closing(connect_read_only(whole)) as connection:
        check_integrity(connection, source.folder)
    return Restorable(whole, environment=source.environment)


def _from_outside(source: RestoreSource, scratch: Path, target: Path, apart: Apart) -> Restorable:
    if source.packed is not None:
        expected = environment_of(target.name)
        opened = open_named(source.packed, scratch / "unpacked", expected, apart)
        whole = prove_apart(apart, opened.path, source.folder, scratch / "whole", "integrity_check")
        return Restorable(whole, opened.raw_places, opened.environment, opened.problem)
    copy = source.copy
    assert copy is not None  # noqa: S101 - or it would be packed
    whole = prove_apart(apart, copy, copy, scratch / "whole", "integrity_check")
    return Restorable(whole, (copy.parent,), source.environment)


def _had_its_faults(backup: Backup) -> bool:
    """Return whether all that SQLite finds in a backup was so in the database, and can stay so.

    Its bytes are proven to be those that were stored.
    """
    faults = backup.manifest.faults
    return faults is not None and tolerable(faults) == faults
