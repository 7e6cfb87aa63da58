"""The guard before every operation that can take rows of the log away from a target.

what would be lost → asked → backed up → proven; only then may the operation go on
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.backup.report import BackupReport
from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.take import take_backup
from neotoma_core.comparison.losses import Extent, Loss, LostRows, loss_of
from neotoma_core.comparison.lost_rows import count_lost
from neotoma_core.errors import BackupNotIntact, NotNeotoma, OtherDatabase, UsageError
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.neotoma.instants import instant_ms
from neotoma_core.report.progress import Progress
from neotoma_core.runs.run import Run
from neotoma_core.sqlite.inspection import inspect_database
from neotoma_core.sqlite.opening import connect_read_only


def refuse_production(loss: Loss) -> bool:
    """Permit a loss where nobody can be asked, unless the database is a production one.

    Raises UsageError.
    """
    if loss.production is None:
        return True
    raise UsageError(
        f"{loss.database}: a production database ({loss.production}) would lose {loss}; stdin is "
        "not a terminal, cannot prompt; nothing was changed; run this yourself, at a terminal: "
        "--yes does not count here"
    )


@dataclass(frozen=True, slots=True)
class Guard:
    """Who is asked before nearly everything goes, and the environment that is set, if any."""

    permit: Callable[[Loss], bool] = refuse_production
    environment: str | None = None


UNATTENDED: Final = Guard()


@dataclass(frozen=True, slots=True)
class Occasion:
    """An operation that is guarded. ``kind``: of the backup that is taken before it.

    ``always``: it is asked about however little would be lost. ``foreign``: it may go on without a
    backup where the vault protects another database, since evidence of the target is kept: so a
    restore of the wrong database can be undone.
    """

    kind: str
    always: bool = False
    foreign: bool = False


RESTORE: Final = Occasion("before-restore", foreign=True)
RESET: Final = Occasion("before-reset", always=True)
ERASE: Final = Occasion("before-erase")
RECOVER: Final = Occasion("before-recover")


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether an operation may go on, and the backup that was taken before it, if any."""

    granted: bool
    backup: str | None = None


def guard_loss(
    run: Run, loss: Loss | None, guard: Guard, occasion: Occasion, progress: Progress
) -> Permission:
    """Ask before nearly all observations of the run's target go, and back it up and prove that.

    ``loss``: what the operation would take away; None where that is unknown. Raises UsageError,
    BackupNotIntact, and what ``back_up`` raises: then nothing was changed.
    """
    if loss is None or not (loss.is_nearly_all or occasion.always):
        return Permission(granted=True)
    if not guard.permit(loss):
        return Permission(granted=False)
    request = BackupRequest(
        run.path,
        run.folders.vault,
        occasion.kind,
        expect_empty=True,
        key=run.key,
        raw_storage=run.raw_storage,
    )
    try:
        return Permission(granted=True, backup=_proven_backup(request, run, progress).backup)
    except OtherDatabase:
        if not occasion.foreign:
            raise
        return Permission(granted=True)


def loss_of_copy(target: Path, held: Path, whole: Path | None, guard: Guard) -> Loss:
    """Return what ``target`` loses where ``whole`` takes its place; ``held``: a copy of it."""
    extent = extent_of(held, target)
    return loss_to(target, extent, _count_lost_rows(held, whole, extent, target), guard)


def loss_to(target: Path, held: Extent, lost: LostRows, guard: Guard) -> Loss:
    """Return what the loss of some rows means to ``target``, which holds ``held``."""
    return loss_of(target.name, held, lost, guard.environment, environment_of(target.name))


def extent_of(whole: Path, original: Path) -> Extent:
    """Return how much a whole copy holds; raises NotNeotoma, BackupDamaged."""
    with closing(connect_read_only(whole)) as connection:
        tables = {t.name: t for t in inspect_database(connection, original).tables}
        first = last = None
        if "observed_at" in tables["observations"].columns:
            first, last = connection.execute(
                "SELECT min(observed_at), max(observed_at) FROM observations"
            ).fetchone()
    return extent_spanning(tables["observations"].rows, tables["entities"].rows, first, last)


def extent_spanning(observations: int, entities: int, first: object, last: object) -> Extent:
    """Return how much a database holds. ``first``, ``last``: cells of ``observed_at``."""
    return Extent(observations, entities, _moment(first), _moment(last))


def _count_lost_rows(held: Path, whole: Path | None, extent: Extent, target: Path) -> LostRows:
    if whole is None or not _is_neotoma(whole):
        return extent.all_rows
    return LostRows(*(count_lost(held, whole, t, target) for t in ("observations", "entities")))


def _is_neotoma(whole: Path) -> bool:
    try:
        extent_of(whole, whole)
    except NotNeotoma:
        return False
    return True


def _proven_backup(request: BackupRequest, run: Run, progress: Progress) -> BackupReport:
    """Take a backup; raises BackupNotIntact where it is not proven.

    An encrypted database without its key is proven as far as it can be: all rows came back.
    """
    report = take_backup(request, run.folders, run.started, progress)
    drill = report.drill
    proven = drill is not None and (drill.outcome == "pass" or drill.level == "restored")
    if drill is None or drill.outcome == "fail" or not proven:
        wrong = "; ".join(drill.reasons) if drill else "it was not verified"
        raise BackupNotIntact(report.backup, wrong)
    return report


def _moment(text: object) -> datetime | None:
    milliseconds = instant_ms(text) if isinstance(text, str) else None
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
