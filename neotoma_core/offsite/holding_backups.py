"""Which backups on a remote hold what was erased, as far as this vault can tell."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import read_all
from neotoma_core.erasure.held.copy import read_held
from neotoma_core.errors import BackupError, BackupNotIntact
from neotoma_core.ledger.file import Ledger
from neotoma_core.push.request import PushRequest
from neotoma_core.remotes.log import Log
from neotoma_core.vault.backups import FOLDER, list_backups
from neotoma_core.vault.manifests import Backup
from neotoma_core.vault.stored_backup import restore_database


def backups_holding(
    request: PushRequest, log: Log, ledger: Ledger, scratch: Path
) -> frozenset[str]:
    """Return the shipped backups that hold what was erased, or may.

    Those that the vault still has are looked into; of others, the time tells: what was taken
    before the last erasure may hold it.
    """
    if not ledger.erased:
        return frozenset()
    ours = {backup.name: backup for backup in list_backups(request.vault).backups}
    last = _moment(ledger.last_erased_at)
    found = set()
    for name, shipped in log.backups.items():
        backup = ours.get(name)
        if backup is None:
            may = last is None or shipped.taken_at <= last
        else:
            may = _holds(request.vault, backup, ledger.erased, scratch)
        if may:
            found.add(name)
    return frozenset(found)


def _holds(vault: Path, backup: Backup, erased: ErasedIds, scratch: Path) -> bool:
    """Return whether a backup of the vault names an erased id; also where nobody can tell."""
    with TemporaryDirectory(dir=scratch) as folder:
        whole = Path(folder) / "whole.db"
        try:
            restore_database(vault / FOLDER / backup.name, backup, whole)
            return bool(erased.find_in(read_all(read_held(whole, whole, None).tables)))
        except (BackupError, BackupNotIntact):
            return True


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
