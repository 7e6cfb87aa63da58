"""Putting another database in the place of the target: the one way of every restore and reset.

guarded → the target into evidence → interrupts held → renamed into place

Until the rename the target is what it was; killed at any moment, it is the old one or the new one.
"""

from dataclasses import dataclass
from pathlib import Path

from neotoma_core.errors import BackupError, TargetChanged, TargetLocked
from neotoma_core.losses import Loss
from neotoma_core.ops.evidence import (
    DatabaseEvidence,
    is_current,
    ruin_evidence,
    secure_database,
    write_manifest,
)
from neotoma_core.ops.guarding import Guard, Occasion, guard_loss, loss_by_replacing
from neotoma_core.ops.progress import Progress
from neotoma_core.ops.run import Run
from neotoma_core.store.interrupts import hold_interrupts
from neotoma_core.store.replacing import replace_by_ruin, replace_database
from neotoma_core.store.sqlite_files import is_open_elsewhere


@dataclass(frozen=True, slots=True)
class Secured:
    """A target that may be replaced by ``whole`` (None: by nothing), where that was ``granted``.

    ``ruin``: a damaged database that is to take its place as it is, with its log; then ``whole`` is
    None.
    ``kept``: the evidence of it, none where there was no target. ``loss``: what it loses, where
    that can be told. ``backup``: what was taken before, where nearly all observations go.
    """

    run: Run
    whole: Path | None
    granted: bool
    kept: tuple[DatabaseEvidence, ...] = ()
    loss: Loss | None = None
    backup: str | None = None
    ruin: Path | None = None

    def replace(self) -> None:
        """Put the new database in the target's place; interrupts wait from here on.

        Raises TargetLocked, and TargetChanged where the target is not what was kept of it.
        """
        if not self.granted:
            raise ValueError("the loss of the target was not granted")
        target = self.run.request.target
        if not all(map(is_current, self.kept)) or target.exists() != bool(self.kept):
            raise TargetChanged(target)
        hold_interrupts()
        if self.ruin is not None:
            replace_by_ruin(target, self.ruin)
        else:
            replace_database(target, self.whole)


def replace_ruin(run: Run, whole: Path) -> None:
    """Put a proven database in the place of the run's target, a ruin of which evidence is kept.

    Raises TargetLocked, and TargetChanged where it is no longer what was kept of it.
    """
    target = run.request.target
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
    if run.target is None:
        return Secured(run, whole, granted=True, kept=_kept(run, progress))
    if is_open_elsewhere(run.target.path):
        raise TargetLocked(run.target.path)
    loss = _loss(run, whole, guard, occasion)
    permission = guard_loss(run, loss, guard, occasion, progress)
    if not permission.granted:
        return Secured(run, whole, granted=False, loss=loss)
    kept = _kept(run, progress)
    return Secured(run, whole, granted=True, kept=kept, loss=loss, backup=permission.backup)


def _loss(run: Run, whole: Path | None, guard: Guard, occasion: Occasion) -> Loss | None:
    try:
        return loss_by_replacing(run, whole, guard)
    except BackupError:  # it cannot be read, so it has nothing left to lose but its bytes
        if occasion.always:
            raise
        return None


def _kept(run: Run, progress: Progress) -> tuple[DatabaseEvidence, ...]:
    progress.begin("evidence")
    kept = tuple(secure_database(run, database, progress) for database in run.databases)
    write_manifest(run, kept)
    return kept
