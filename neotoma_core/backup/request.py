"""What is asked of the backups of a vault."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.errors import UsageError
from neotoma_core.files.keys import KeySource
from neotoma_core.runs.commands import command_again
from neotoma_core.vault.backups import Listing
from neotoma_core.vault.manifests import Backup


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """What the user asked for.

    ``kind``: manual, scheduled or before-<operation>. ``logs``: Neotoma's logs are kept, too.
    ``expect_empty``: a database without observations can be verified. ``key``: where the key of
    encrypted columns is, if anywhere. ``raw_storage``: where Neotoma keeps raw files, if not next
    to the database. ``other_database``: whatever else the vault protects. ``since``: when it was
    due: nothing is done if a backup was taken since.
    """

    target: Path
    vault: Path
    kind: str = "manual"
    drill: bool = True
    logs: bool = False
    expect_empty: bool = False
    key: KeySource | None = None
    raw_storage: Path | None = None
    other_database: bool = False
    since: datetime | None = None


def choose_backup(listing: Listing, words: str) -> Backup:
    """Return the backup that ``words`` name: its name, its number, or ``latest``.

    Raises UsageError where there is none, or where it may be several.
    """
    if words == "latest" and listing.backups:
        return listing.backups[-1]
    number = int(words) if words.isascii() and words.isdigit() else None
    found = [
        backup
        for backup in listing.backups
        if backup.manifest.sequence == number or backup.name == words
    ] or [backup for backup in listing.backups if backup.name.startswith(words)]
    if len(found) == 1:
        return found[0]
    listing_them = command_again("backups")
    wrong = "several backups match that name" if found else "no backup has that name"
    if not listing.is_complete:
        wrong += ", and something among the backups cannot be read"
    raise UsageError(f"{words}: {wrong}; nothing was changed; to list them: {listing_them}")
