"""Which backups are good, and which were taken after a loss, as far as the vault knows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from neotoma_core.backup.retention import BackupFacts, Standing
from neotoma_core.comparison.anomaly import HISTORY, drop_of, raw_file_loss
from neotoma_core.ledger.explained import Counted, find_losses
from neotoma_core.vault.manifests import Backup, Manifest

_CLOCKS_DIFFER = timedelta(minutes=5)


def judge_backup(
    manifest: Manifest, before: Sequence[Backup], vault: Path
) -> tuple[tuple[str, ...], float]:
    """Return what is less in a backup than it should be, and the drop of its observations.

    ``before``: the backups made before it, in their order. ``vault``: what it erased is not a loss.
    """
    good = _good(before)
    history = history_of(before)
    files = raw_file_loss(
        manifest.raw_files.found, [backup.manifest.raw_files.found for backup in good]
    )
    alarms = (*find_losses(manifest.counts, history, vault), *([files] if files else []))
    drop = drop_of(manifest.counts, [counts for _, counts in history])
    return tuple(map(str, alarms)), round(drop, 4)


def history_of(backups: Sequence[Backup]) -> list[Counted]:
    """Return the counts that tell whether anything is missing, and their times, oldest first."""
    return [(backup.manifest.counted_at, backup.manifest.counts) for backup in _good(backups)]


def look_at(backup: Backup, others: Sequence[Backup], vault: Path) -> Backup:
    """Return a backup whose alarms are known: a run may have been killed before it looked."""
    if backup.state.alarms is not None:
        return backup
    before = [other for other in others if other.manifest.sequence < backup.manifest.sequence]
    alarms, drop = judge_backup(backup.manifest, before, vault)
    return replace(backup, state=replace(backup.state, alarms=alarms, drop=drop))


def _good(backups: Sequence[Backup]) -> list[Backup]:
    """Return the last good backups since a loss was accepted, oldest first."""
    found: list[Backup] = []
    for backup in reversed(backups):
        if backup.is_good:
            found.append(backup)
        if backup.state.accepted or len(found) == HISTORY:
            break
    return found[::-1]


def find_unexplained(backups: Sequence[Backup]) -> Backup | None:
    """Return the newest backup with an unexplained loss; None where rotation is not frozen.

    A loss is explained by the acceptance of that backup or a later one; it is over once a later
    backup was verified and lacks nothing.
    """
    for backup in reversed(backups):
        if backup.state.is_after_loss:
            return backup
        if backup.state.accepted or backup.is_good:
            return None
    return None


def facts_of(backup: Backup, now: datetime) -> BackupFacts:
    """Return what the retention of a backup depends on."""
    manifest = backup.manifest
    return BackupFacts(
        backup.name,
        manifest.sequence,
        manifest.taken_at,
        standing_of(backup, now),
        pinned=backup.state.pinned is not None,
    )


def standing_of(backup: Backup, now: datetime) -> Standing:
    """Return what a backup is known to be."""
    state = backup.state
    if backup.manifest.taken_at > now + _CLOCKS_DIFFER:
        return "future"
    if state.drill is not None and state.drill.outcome == "fail":
        return "failed"
    if state.is_after_loss:
        return "lossy"
    return "good" if backup.is_good else "unproven"
