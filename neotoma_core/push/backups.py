"""The verified backups of a vault that a remote lacks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from neotoma_core.files.compressed import NotIntact
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import Content, ShippedBackup
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.vault.backups import FOLDER, MANIFEST, STATE, read_raw_list
from neotoma_core.vault.manifests import Backup


@dataclass(frozen=True, slots=True)
class NewBackup:
    """A backup to be shipped: what an entry says of it, its files by name, and its raw files.

    ``raw_files``: sizes by name, ``<user>/<sha256>``.
    """

    shipped: ShippedBackup
    files: dict[str, Path]
    raw_files: dict[str, int]


def new_backups(backups: Sequence[Backup], log: Log) -> list[Backup]:
    """Return the good backups that were never shipped, oldest first."""
    there = log.shipped_backups
    return [backup for backup in backups if backup.is_good and backup.name not in there]


def describe_backup(vault: Path, backup: Backup, scratch: Path) -> NewBackup | None:
    """Return a backup as it is shipped; None where its files are no longer what they were."""
    folder = vault / FOLDER / backup.name
    try:
        listed = read_raw_list(folder, backup.manifest, scratch)
    except (NotIntact, OSError):
        return None
    names = [MANIFEST, STATE, *_names_of(backup)]
    files = {name: folder / name for name in names}
    if not all(path.is_file() for path in files.values()):
        return None
    contents = {name: Content(sha256_of(path), path.stat().st_size) for name, path in files.items()}
    shipped = ShippedBackup(backup.name, backup.manifest.taken_at, contents)
    raw = {name.partition("/")[2]: size for name, size in listed.items()}
    return NewBackup(shipped, files, raw)


def _names_of(backup: Backup) -> Iterator[str]:
    yield backup.manifest.database.name
    for file in backup.manifest.files:
        yield file.name
