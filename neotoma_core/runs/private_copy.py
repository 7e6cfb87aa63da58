"""Reading a database as of one moment: a private copy in the vault, which goes with the run."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from neotoma_core.errors import DiskFull
from neotoma_core.files.headers import companions
from neotoma_core.files.keys import KeySource
from neotoma_core.runs.judging import ruin_named
from neotoma_core.runs.left_over import missing_target
from neotoma_core.runs.run import RecoverRequest, Run, target_of
from neotoma_core.sqlite.copies import copy_privately
from neotoma_core.sqlite.inspection import StoredTable, list_tables
from neotoma_core.sqlite.opening import connect_read_only, make_whole
from neotoma_core.vault import folder as vault
from neotoma_core.vault.lease import vault_run

PATIENCE_SECONDS: Final = 600.0  # for another run that is in the vault
_HEADROOM: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class PrivateCopy:
    """A whole copy of a database; ``original`` is what messages call it."""

    run: Run
    original: Path
    whole: Path
    stored: Mapping[str, StoredTable]


@contextmanager
def target_run(  # noqa: PLR0913, PLR0917 - which database, whose, and where its parts are
    target: Path,
    vault_folder: Path,
    now: datetime,
    key: KeySource | None = None,
    patience: float = PATIENCE_SECONDS,
    raw_storage: Path | None = None,
) -> Iterator[Run]:
    """Take the vault for a run with a target and no backups.

    The target need not exist. ``patience``: seconds to wait for another run that is in the vault.
    ``raw_storage``: where Neotoma keeps the target's raw files, if not beside it.
    Raises TargetError, which says what to do about a target that is damaged or empty, VaultError.
    """
    present = target_of(target)
    with (
        ruin_named(target, vault_folder),
        scratch_run(target, vault_folder, now, key, patience) as run,
    ):
        request = replace(run.request, raw_storage=raw_storage)
        yield replace(run, request=request, target=present)


@contextmanager
def scratch_run(
    source: Path,
    vault_folder: Path,
    now: datetime,
    key: KeySource | None = None,
    patience: float = PATIENCE_SECONDS,
) -> Iterator[Run]:
    """Take the vault for a run without a target; ``source`` is only what messages name."""
    with vault_run(vault_folder, source, now, patience) as folders:
        asked = RecoverRequest(source, (), vault_folder, key=key)
        yield Run(asked, folders, None, (), (), (), now)


@contextmanager
def private_copy(
    target: Path, vault_folder: Path, now: datetime, key: KeySource | None = None
) -> Iterator[PrivateCopy]:
    """Copy a database into the scratch of a run, to be read as of this moment.

    Raises TargetError, TargetLocked, BackupError, DiskFull, VaultError.
    """
    with target_run(target, vault_folder, now, key) as run:
        if run.target is None:
            raise missing_target(target, vault_folder)
        yield copied(run, target)


def copied(run: Run, target: Path) -> PrivateCopy:
    """Return a private copy of a database in the scratch of a run that has the vault."""
    needed = sum(path.stat().st_size for path in (target, *companions(target)))
    free = vault.free_bytes(run.folders.work)
    if free < 2 * needed + _HEADROOM:
        raise DiskFull(run.folders.vault, 2 * needed + _HEADROOM, free)
    folder = run.folders.work / "private"
    folder.mkdir(mode=0o700)
    whole = make_whole(copy_privately(target, folder), target, folder / "whole")
    with closing(connect_read_only(whole)) as connection:
        stored = {table.name: table for table in list_tables(connection, target)}
    return PrivateCopy(run, target, whole, stored)
