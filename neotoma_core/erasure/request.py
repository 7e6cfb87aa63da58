"""An erasure: what is asked for, from which database, in which vault."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.errors import UsageError
from neotoma_core.files.keys import KeySource
from neotoma_core.runs.begin import reading_run
from neotoma_core.runs.run import TargetRun
from neotoma_core.snapshots.choosing import AUTO


@dataclass(frozen=True, slots=True)
class EraseRequest:
    """What the user asked for.

    ``even_if_absent``: record ids that the target does not have. ``again``: erase whatever the
    ledger names, and finish what a killed run left. ``key``: where the key of encrypted columns
    is, if anywhere. ``raw_storage``: where Neotoma keeps raw files, if not next to the database.
    ``rules``: by which to reduce what loses rows; see ``snapshots.choosing``.
    """

    target: Path
    vault: Path
    entities: tuple[str, ...] = ()
    observations: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    even_if_absent: bool = False
    again: bool = False
    key: KeySource | None = None
    raw_storage: Path | None = None
    rules: str = AUTO


@dataclass(frozen=True, slots=True)
class EraseRun:
    """One erasure, from its start to its report.

    ``run`` has the target and no backups; its evidence folder is scratch, so that no copy of the
    target outlives it.
    """

    request: EraseRequest
    run: TargetRun

    @property
    def target(self) -> Path:
        """The database itself."""
        return self.run.target.path

    @property
    def report_folder(self) -> Path:
        """Where the report is kept."""
        return self.run.folders.report


@contextmanager
def erase_run(request: EraseRequest, now: datetime) -> Iterator[EraseRun]:
    """Take the vault for an erasure.

    Raises UsageError where nothing is asked for, TargetError, BackupUnreadable, VaultError.
    """
    asked = (*request.entities, *request.observations, *request.users)
    if not asked and not request.again:
        raise UsageError(
            "nothing to erase was given; name it with --entity, --observation or --user"
        )
    if "" in asked:
        raise UsageError("an empty id was given; check --entity, --observation and --user")
    with reading_run(request, now) as run:
        yield EraseRun(request, run)
