"""What stands before every operation that removes nearly all observations of a database.

measured → asked → backed up → proven; only then may the operation go on
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from neotoma_core.environments import environment_of
from neotoma_core.errors import BackupError, BackupNotIntact
from neotoma_core.instants import instant_ms
from neotoma_core.losses import Extent, Loss, loss_of
from neotoma_core.ops.backup import take_backup
from neotoma_core.ops.backup_run import BackupRequest
from neotoma_core.ops.progress import Progress
from neotoma_core.report.backup import BackupReport
from neotoma_core.store.databases import connect_read_only
from neotoma_core.store.inspection import inspect_database
from neotoma_core.store.live_copies import copy_whole
from neotoma_core.store.vault import RunFolders


@dataclass(frozen=True, slots=True)
class Guard:
    """Who is asked before nearly everything goes, and what NEOTOMA_ENV is set to."""

    permit: Callable[[Loss], bool]
    environment: str | None = None


def extent_of(whole: Path, original: Path) -> Extent:
    """Return how much a whole copy holds; raises NotNeotoma, BackupDamaged."""
    with closing(connect_read_only(whole)) as connection:
        tables = {t.name: t for t in inspect_database(connection, original).tables}
        first = last = None
        if "observed_at" in tables["observations"].columns:
            first, last = connection.execute(
                "SELECT min(observed_at), max(observed_at) FROM observations"
            ).fetchone()
    entities = tables["entities"].rows
    return Extent(tables["observations"].rows, entities, _moment(first), _moment(last))


def measure_loss(target: Path, left: int, scratch: Path, environment: str | None) -> Loss | None:
    """Return what ``target`` loses where ``left`` observations remain, if that is nearly all.

    A target that cannot be read has nothing left to lose but its bytes. Raises TargetLocked.
    """
    scratch.mkdir(mode=0o700)
    try:
        extent = extent_of(copy_whole(target, scratch), target)
    except BackupError:
        return None
    return loss_of(target.name, extent, left, environment, environment_of(target.name))


def pre_backup(
    request: BackupRequest, folders: RunFolders, now: datetime, progress: Progress
) -> BackupReport:
    """Take a backup before nearly everything goes; raises BackupNotIntact where it is not proven.

    An encrypted database without its key is proven as far as it can be: all rows came back.
    """
    report = take_backup(request, folders, now, progress)
    drill = report.drill
    proven = drill is not None and (drill.outcome == "pass" or drill.level == "restored")
    if drill is None or drill.outcome == "fail" or not proven:
        wrong = "; ".join(drill.reasons) if drill else "it was not verified"
        raise BackupNotIntact(report.backup, wrong)
    return report


def _moment(text: object) -> datetime | None:
    milliseconds = instant_ms(text) if isinstance(text, str) else None
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
