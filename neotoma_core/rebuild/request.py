"""A rebuild: the database and snapshots to compute, by what, in which vault."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from neotoma_core.files.keys import KeySource
from neotoma_core.runs import begin
from neotoma_core.runs.run import TargetRun
from neotoma_core.snapshots.choosing import AUTO
from neotoma_core.stages.places import Folder
from neotoma_core.stages.runner import Work


@dataclass(frozen=True, slots=True)
class RebuildRequest:
    """What the user asked for.

    ``entities`` and ``types``: only the entities named or of a named type, and the relationships
    they take part in; all of them where both are empty. ``schemas``: where to look for schemas the
    target has none of. ``key``: where the key of encrypted columns is, if anywhere.
    ``raw_storage``: where Neotoma keeps the target's raw files, if not next to it. ``rules``: by
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

    def in_run(self, run: TargetRun) -> "SnapshotRun":
        """Return what is asked for, in a run of the target."""
        return SnapshotRun(run, self.entities, self.types, self.schemas, self.rules)


@dataclass(frozen=True, slots=True)
class SnapshotRun:
    """A run that computes snapshots of its target, or reads what they are computed from.

    ``entities``, ``types``, ``schemas``, ``rules``: as of a ``RebuildRequest``. ``explained``:
    whether the report says why each snapshot differs. ``job``: how it is done.
    """

    run: TargetRun
    entities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    schemas: Path | None = None
    rules: str = AUTO
    explained: bool = True
    job: Work = field(default_factory=Work)

    @property
    def target(self) -> Path:
        """The database itself."""
        return self.run.target.path

    @property
    def work(self) -> Path:
        """The scratch of the run."""
        return self.run.folders.work

    @property
    def parts(self) -> Path:
        """The folder of what this process itself puts aside: that of the job, if it has one."""
        return self.job.place.path if isinstance(self.job.place, Folder) else self.work

    @property
    def narrowed(self) -> bool:
        """Whether only a part of the database is asked for."""
        return bool(self.entities or self.types)


@contextmanager
def rebuild_run(request: RebuildRequest, now: datetime) -> Iterator[SnapshotRun]:
    """Take the vault for a rebuild, whose evidence is kept there.

    Raises TargetError, BackupUnreadable, VaultError.
    """
    with begin.present_run(request, now) as run:
        yield request.in_run(run)


@contextmanager
def checking_run(request: RebuildRequest, now: datetime) -> Iterator[SnapshotRun]:
    """Take the vault for a run that only compares or exports: its copies go when it is over.

    Raises TargetError, BackupUnreadable, VaultError.
    """
    with begin.reading_run(request, now) as run:
        yield request.in_run(run)
