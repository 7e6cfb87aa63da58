"""Listing the backups of a vault, and what a user may say of one: keep it, or its loss is meant."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from neotoma_core.backup.report import BackupList
from neotoma_core.backup.reporting import report_listing
from neotoma_core.backup.request import choose_backup
from neotoma_core.errors import UsageError
from neotoma_core.vault import folder as vaults
from neotoma_core.vault.backups import list_backups, write_state
from neotoma_core.vault.manifests import Acceptance, BackupState


def list_vault(vault: Path, now: datetime) -> BackupList:
    """Return what a vault has; nothing in it is written. Raises VaultDamaged."""
    return report_listing(str(vault), list_backups(vault), now)


def pin_backup(vault: Path, name: str, why: str) -> str:
    """Keep a backup from ever being removed; return its whole name. Raises UsageError."""
    return _change_state(vault, name, lambda state: replace(state, pinned=why))


def unpin_backup(vault: Path, name: str) -> str:
    """Let a backup be removed again when its time has come; return its whole name."""
    return _change_state(vault, name, lambda state: replace(state, pinned=None))


def accept_loss(vault: Path, name: str, why: str, now: datetime) -> str:
    """Record that what a backup lacks is meant to be gone: rotation goes on, counted from it.

    Raises UsageError where nothing is missing from it, or no reason is given.
    """
    if not why.strip():
        raise UsageError('no reason was given; say why: --accept ID "why"')

    def accept(state: BackupState) -> BackupState:
        if not state.alarms:
            raise UsageError(f"{name}: nothing is missing from it; nothing was changed")
        return replace(state, accepted=Acceptance(now.astimezone(UTC), why))

    return _change_state(vault, name, accept)


def _change_state(vault: Path, name: str, change: Callable[[BackupState], BackupState]) -> str:
    if not (vault / vaults.DESCRIPTION).is_file():
        raise UsageError(f"vault {vault}: there is no backup in it")
    with vaults.lock_vault(vault):
        backup = choose_backup(list_backups(vault), name)
        write_state(vault, backup.name, change(backup.state))
        return backup.name
