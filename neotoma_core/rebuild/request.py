"""A rebuild: which database, which part of it, in which vault."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from neotoma_core.files.keys import KeySource
from neotoma_core.runs.judging import ruin_named
from neotoma_core.runs.left_over import missing_target
from neotoma_core.runs.run import DatabaseRef, RecoverRequest, Run, target_of
from neotoma_core.snapshots.choosing import AUTO
from neotoma_core.vault.lease import vault_run


@dataclass(frozen=True, slots=True)
class RebuildRequest:
    """What the user asked for.

    ``entities`` and ``types``: only the entities named or of a named type, and the relationships
    they take part in; all of them where both are empty. ``schemas``: where to look for schemas the
    target has none of. ``key``: where the key of encrypted columns is, if anywhere.
    ``raw_storage``: where Neotoma keeps the target's raw files, if not beside it. ``rules``: by
    which to reduce; see ``snapshots.choosing``.
    """

    target: Path
    vault: Path
    entities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    schemas: Path | None = None
    key: KeySource | None = None
    raw_storage: Path | None = None
    rules: str = AUTO

    @property
    def narrowed(self) -> bool:
        """Whether only a part of the database is asked for."""
        return bool(self.entities or self.types)


@dataclass(frozen=True, slots=True)
class RebuildRun:
    """One rebuild, from its start to its report. ``run`` has the target and no backups."""

    request: RebuildRequest
    run: Run
    target: DatabaseRef


@contextmanager
def rebuild_run(request: RebuildRequest, now: datetime) -> Iterator[RebuildRun]:
    """Take the vault for a rebuild, whose evidence is kept there.

    Raises TargetError, BackupUnreadable, VaultError.
    """
    with _run(request, now) as rebuild:
        yield rebuild


@contextmanager
def reading_run(request: RebuildRequest, now: datetime) -> Iterator[RebuildRun]:
    """Take the vault for a run that only reads: its copies go when it is over.

    Raises TargetError, BackupUnreadable, VaultError.
    """
    with _run(request, now) as rebuild:
        folders = rebuild.run.folders
        folders.evidence.rmdir()
        scratch = replace(folders, evidence=folders.work / "copies")
        scratch.evidence.mkdir(mode=0o700)
        yield replace(rebuild, run=replace(rebuild.run, folders=scratch))


@contextmanager
def _run(request: RebuildRequest, now: datetime) -> Iterator[RebuildRun]:
    target = target_of(request.target)
    if target is None:
        raise missing_target(request.target, request.vault)
    with (
        ruin_named(request.target, request.vault),
        vault_run(request.vault, request.target, now) as folders,
    ):
        asked = RecoverRequest(
            request.target,
            (),
            request.vault,
            key=request.key,
            raw_storage=request.raw_storage,
        )
        run = Run(asked, folders, target, (), (), (), now)
        yield RebuildRun(request, run, target)
