"""A backup of a vault, as the database it was taken of and the raw files next to it."""

from pathlib import Path

from neotoma_core.errors import BackupDamaged, BackupNotIntact, VaultDamaged
from neotoma_core.files.compressed import Decompress, NotIntact, check_file, decompress_file
from neotoma_core.neotoma.environments import RAW_FOLDERS, Environment
from neotoma_core.vault.backups import DATABASE, MANIFEST, STATE, read_backup, read_raw_list
from neotoma_core.vault.blobs import link_blobs
from neotoma_core.vault.folder import require_room
from neotoma_core.vault.manifests import Backup


def is_vault_backup(folder: Path) -> bool:
    """Return whether a folder is a backup of a vault, or a copy of one."""
    kept = (folder / DATABASE).exists() or (folder / STATE).exists()
    return kept and (folder / MANIFEST).is_file()


def read_vault_backup(folder: Path) -> Backup:
    """Read what is known of a backup; raises BackupNotIntact."""
    try:
        return read_backup(folder)
    except VaultDamaged as error:
        raise BackupNotIntact(folder.name, "its manifest is not what was written") from error


def restore_database(
    folder: Path, backup: Backup, whole: Path, decompress: Decompress = decompress_file
) -> None:
    """Write the database of a backup, proven byte for byte; raises BackupNotIntact, DiskFull."""
    require_room(whole.parent, backup.manifest.database.plain_size)
    try:
        for file in backup.manifest.files:
            check_file(folder, file)
        decompress(folder, backup.manifest.database, whole)
    except NotIntact as error:
        raise BackupNotIntact(backup.name, error.wrong) from None


def unpack_vault_backup(
    folder: Path, scratch: Path, decompress: Decompress
) -> tuple[Path, Environment | None]:
    """Return the database of a backup, restored into ``scratch``, and its environment.

    Its raw files are next to it, as links into the vault. Raises BackupDamaged.
    """
    try:
        backup = read_vault_backup(folder)
        whole = scratch / Path(backup.manifest.target).name
        restore_database(folder, backup, whole, decompress)
        listed = read_raw_list(folder, backup.manifest, scratch, decompress)
    except (BackupNotIntact, NotIntact) as error:
        wrong = error.failed[0] if isinstance(error, BackupNotIntact) else error.wrong
        raise BackupDamaged(folder, wrong, "choose another backup") from error
    environment = _environment(backup)
    place = scratch / RAW_FOLDERS[environment or "development"]
    names = [name.partition("/")[2] for name in listed]
    link_blobs(folder.absolute().parent.parent, names, place)
    return whole, environment


def _environment(backup: Backup) -> Environment | None:
    known = backup.manifest.environment
    return next((kind for kind in RAW_FOLDERS if kind == known), None)
