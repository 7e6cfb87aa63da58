"""Taking the vault for a run: of a target that is there, one that need not be, or of none."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from neotoma_core.files.keys import KeySource
from neotoma_core.runs.judging import ruin_named
from neotoma_core.runs.left_over import missing_target
from neotoma_core.runs.run import Run, TargetRun, target_of
from neotoma_core.vault.lease import PATIENCE_SECONDS, vault_run


class Asked(Protocol):
    """What every request for a run says; see ``Whereabouts``."""

    @property
    def target(self) -> Path:
        """The database, whether or not it is there."""

    @property
    def vault(self) -> Path:
        """The folder of its vault."""

    @property
    def key(self) -> KeySource | None:
        """Where the key of encrypted columns is, if anywhere."""

    @property
    def raw_storage(self) -> Path | None:
        """Where Neotoma keeps its raw files, if not next to it."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a run finds what it is about.

    ``target``: the database, whether or not it is there. ``key``: where the key of encrypted
    columns is, if anywhere. ``raw_storage``: where Neotoma keeps the target's raw files, if not
    next to it.
    """

    target: Path
    vault: Path
    key: KeySource | None = None
    raw_storage: Path | None = None


@contextmanager
def present_run(asked: Asked, now: datetime) -> Iterator[TargetRun]:
    """Take the vault for a run with a target that is there, whose evidence is kept.

    Raises TargetError, BackupUnreadable, VaultError.
    """
    target = target_of(asked.target)
    if target is None:
        raise missing_target(asked.target, asked.vault)
    with (
        ruin_named(asked.target, asked.vault),
        vault_run(asked.vault, asked.target, now) as folders,
    ):
        yield TargetRun(folders, asked.target, target, now, asked.key, asked.raw_storage)


@contextmanager
def reading_run(asked: Asked, now: datetime) -> Iterator[TargetRun]:
    """Take the vault for a run that only reads: its copies go when it is over.

    Raises TargetError, BackupUnreadable, VaultError.
    """
    with present_run(asked, now) as run:
        folders = run.folders
        folders.evidence.rmdir()
        scratch = replace(folders, evidence=folders.work / "copies")
        scratch.evidence.mkdir(mode=0o700)
        yield replace(run, folders=scratch)


@contextmanager
def target_run(asked: Asked, now: datetime, patience: float = PATIENCE_SECONDS) -> Iterator[Run]:
    """Take the vault for a run with a target that need not be there.

    ``patience``: seconds to wait for another run that is in the vault. Raises TargetError, which
    says what to do about a target that is damaged or empty, VaultError.
    """
    present = target_of(asked.target)
    with ruin_named(asked.target, asked.vault), scratch_run(asked, now, patience) as run:
        yield replace(run, target=present)


@contextmanager
def scratch_run(asked: Asked, now: datetime, patience: float = PATIENCE_SECONDS) -> Iterator[Run]:
    """Take the vault for a run that reads no target, which is only what messages name."""
    with vault_run(asked.vault, asked.target, now, patience) as folders:
        yield Run(folders, asked.target, None, now, asked.key, asked.raw_storage)
