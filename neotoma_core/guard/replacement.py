"""Putting another database in the place of the target: the one way of every restore and reset.

guarded → the target into evidence → interrupts held → renamed into place

Until the rename the target is what it was; killed at any moment, it is the old one or the new one.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from neotoma_core.comparison.losses import Loss
from neotoma_core.errors import BackupError, TargetChanged, TargetLocked, run_record
from neotoma_core.files.headers import is_open_elsewhere
from neotoma_core.files.interrupts import hold_interrupts
from neotoma_core.guard.guard import (
    Guard,
    Occasion,
    Permission,
    guard_loss,
    loss_of_copy,
)
from neotoma_core.publication.replaceable import require_replaceable
from neotoma_core.publication.replacing import replace_by_ruin, replace_database
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.runs.commands import undo_command
from neotoma_core.runs.evidence import (
    DatabaseEvidence,
    is_current,
    ruin_evidence,
    secure_database,
    write_manifest,
)
from neotoma_core.runs.judging import salvageable
from neotoma_core.runs.left_over import find_left_behind, require_kept
from neotoma_core.runs.run import DatabaseRef, Run
from neotoma_core.sqlite.live_copies import copy_whole


@dataclass(frozen=True, slots=True)
class Secured:
    """A target that may be replaced by ``whole`` (None: by nothing), where that was ``granted``.

    ``ruin``: a damaged database that is to take its place as it is, with its log; then ``whole`` is
    None. ``kept``: the evidence of it, none where there was no target. ``loss``: what it loses,
    where that is known. ``backup``: what was taken before, where nearly all observations go.
    """

    run: Run
    whole: Path | None
    granted: bool
    kept: tuple[DatabaseEvidence, ...] = ()
    loss: Loss | None = None
    backup: str | None = None
    ruin: Path | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a target that is gone left, as long as nothing has taken its place."""
        return tuple(find_left_behind(self.run))

    def replace(self) -> None:
        """Put the new database in the target's place; interrupts wait from here on.

        Raises TargetLocked, and TargetChanged where the target is not what was kept of it.
        """
        if not self.granted:
            raise ValueError("the loss of rows in the target was not permitted")
        target = self.run.path
        if not all(map(is_current, self.kept)) or target.exists() != bool(self.kept):
            raise TargetChanged(target)
        require_kept(self.run)
        hold_interrupts()
        run_record().undo = undo_command(self.run)
        if self.ruin is not None:
            replace_by_ruin(target, self.ruin)
        else:
            replace_database(target, self.whole)


def replace_ruin(run: Run, whole: Path) -> None:
    """Put a proven database in the place of the run's target, a ruin whose evidence is kept.

    Raises TargetLocked, and TargetChanged where it is no longer what was kept of it.
    """
    target = run.path
    if is_open_elsewhere(target):
        raise TargetLocked(target)
    if not all(map(is_current, ruin_evidence(run))):
        raise TargetChanged(target)
    hold_interrupts()
    replace_database(target, whole)


def secure_target(
    run: Run, whole: Path | None, guard: Guard, occasion: Occasion, progress: Progress
) -> Secured:
    """Guard the run's target against its loss, and keep it as evidence where that is granted.

    ``whole``: the sound file that is to take its place. Raises TargetLocked while another program
    is connected to the target, and what ``guard_loss`` raises: then nothing was changed.
    """
    require_replaceable(run.path)
    if run.target is None:
        return Secured(run, whole, granted=True, kept=_keep(run, progress))
    try:
        held = copy_target(run, run.target)
        loss: Loss | None = loss_of_copy(run.target.path, held, whole, guard)
    except BackupError:
        if occasion.always:
            raise
        loss = _loss_of_ruin(run, run.target, whole, guard)
        granted = loss is None or not loss.is_nearly_all or guard.permit(loss)
        permission = Permission(granted)  # no backup can be taken of it; evidence is
    else:
        permission = guard_loss(run, loss, guard, occasion, progress)
    if not permission.granted:
        return Secured(run, whole, granted=False, loss=loss)
    kept = _keep(run, progress)
    return Secured(run, whole, granted=True, kept=kept, loss=loss, backup=permission.backup)


def _loss_of_ruin(run: Run, target: DatabaseRef, whole: Path | None, guard: Guard) -> Loss | None:
    """Return what of a damaged target is lost that could be salvaged; None where nothing could.

    Raises TargetForeign.
    """
    saved = salvageable(target.path, run.folders.work / "salvage")
    if saved is None:
        return None
    return loss_of_copy(target.path, saved, whole, guard)


def copy_target(run: Run, target: DatabaseRef) -> Path:
    """Return a whole copy of the run's target, made once.

    Raises TargetLocked while another program is connected to it, and BackupError where it cannot
    be read.
    """
    if is_open_elsewhere(target.path):
        raise TargetLocked(target.path)
    scratch = run.folders.work / "held"
    scratch.mkdir(mode=0o700, exist_ok=True)
    whole = scratch / "held.db"
    if not whole.exists():
        copy_whole(target.path, Path(mkdtemp(dir=scratch))).rename(whole)
    return whole


def readable_target(run: Run) -> Path | None:
    """Return a whole copy of the run's target; None where there is none, or it cannot be read."""
    try:
        return copy_target(run, run.target) if run.target else None
    except BackupError:
        return None


def _keep(run: Run, progress: Progress) -> tuple[DatabaseEvidence, ...]:
    progress.begin("evidence")
    kept = tuple(secure_database(run, database, progress) for database in run.databases)
    write_manifest(run, kept)
    return kept
