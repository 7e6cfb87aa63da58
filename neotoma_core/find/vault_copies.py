"""Which copies a vault holds: all of them are of the database that it protects."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from neotoma_core.backup.request import choose_backup
from neotoma_core.comparison.identity import Sample
from neotoma_core.errors import UsageError, VaultError
from neotoma_core.files.headers import COMPANIONS
from neotoma_core.runs.named_backups import split_member
from neotoma_core.settings.environment import default_vault
from neotoma_core.vault import folder as vault
from neotoma_core.vault.backups import DATABASE, FOLDER, MANIFEST, list_backups
from neotoma_core.vault.manifests import Backup


def backups_in(folder: Path) -> tuple[Path, ...]:
    """Return the folder of a vault's backups, where there is one."""
    place = folder / FOLDER
    return (place,) if place.is_dir() else ()


def telling_backups(folder: Path) -> tuple[Path, ...]:
    """Return the database files of the backups that tell the most of what a vault holds.

    Those are the newest, and the one that had the most observations: each has to be unpacked, and a
    vault may hold many. Raises VaultDamaged.
    """
    backups = list_backups(folder).backups
    most = sorted(backups, key=lambda b: b.manifest.counts.observations)[-1:]
    names = dict.fromkeys(backup.name for backup in (*most, *backups[-1:]))
    return tuple(folder / FOLDER / name / DATABASE for name in names)


def read_samples(folder: Path, target: Path) -> tuple[Sample, ...]:
    """Return what a vault knows of the database at a place: a sample of each backup of it."""
    with suppress(VaultError):
        return tuple(
            Sample(manifest.counts.sample, manifest.counts.observations)
            for manifest in (backup.manifest for backup in list_backups(folder).backups)
            if manifest.target == str(target.absolute()) and manifest.counts.sample
        )
    return ()


def in_vault(words: str, folder: Path) -> Backup | None:
    """Return the backup of a vault that ``words`` name; None where they name a path.

    A backup's name or number comes before a file of that name. Raises UsageError where the words
    name neither.
    """
    if "/" in words:
        return None
    try:
        return choose_backup(list_backups(folder), words)
    except UsageError:
        if not split_member(Path(words))[0].exists():
            raise
        return None


def find_named_backup(path: Path, folder: Path) -> Path:
    """Return what a path's words name in a vault: a backup, what evidence keeps; else the path.

    Raises UsageError for a number that no backup and no file has.
    """
    try:
        if (backup := in_vault(str(path), folder)) is not None:
            return folder / FOLDER / backup.name
    except UsageError:  # of a path, whoever opens it says what is wrong with it
        if str(path).isdigit():
            raise
    return evidence_of_target(path) or backup_of_vault(path)


def backup_of_vault(path: Path) -> Path:
    """Return the folder of the newest good backup of a vault, or else the path.

    Where none is good it is the newest. Raises UsageError where the vault has none.
    """
    if not (path / vault.DESCRIPTION).is_file():
        return path
    backups = list_backups(path).backups
    good = [backup for backup in backups if backup.is_good] or list(backups)
    if not good:
        raise UsageError(f"{path}: a vault without a backup; name the database file")
    return path / FOLDER / good[-1].name


def evidence_of_target(folder: Path) -> Path | None:
    """Return the copy of a target that an evidence folder keeps; None if ``folder`` is not one.

    Whatever it is: whoever opens it says what is wrong with it.
    """
    kept = folder / "target"
    if not (folder / MANIFEST).is_file() or not kept.is_dir():
        return None
    copies = [path for path in kept.iterdir() if not path.name.endswith(COMPANIONS)]
    return copies[0] if len(copies) == 1 else None


def backup_name_of(path: Path) -> str | None:
    """Return the name of the backup of a vault that a file is of; None where it is of none."""
    folder = _vault_of(path.absolute())
    if folder is None or not path.absolute().is_relative_to(folder / FOLDER):
        return None
    return path.absolute().relative_to(folder / FOLDER).parts[0]


def group_by_vault(copies: Mapping[int, Path]) -> Iterator[tuple[int, ...]]:
    """Yield the copies that are of one database since one vault keeps or protects them.

    ``copies``: the place of each, by its number. Whatever they hold: a wiped database that was
    backed up shares nothing with what it was.
    """
    kept: dict[Path, list[int]] = {}
    for number, path in copies.items():
        folder = _vault_of(path.absolute())
        if folder is not None:
            kept.setdefault(folder, []).append(number)
    for folder, numbers in kept.items():
        own = _read_protected(folder)
        yield (*numbers, *(n for n, path in copies.items() if own and path.resolve() == own))


def _vault_of(path: Path) -> Path | None:
    """Return the vault whose backup or evidence of its target a file is."""
    for place in path.parents:
        is_backup = place.name == FOLDER
        is_evidence = (
            place.name == vault.EVIDENCE and "target" in path.relative_to(place).parts[1:2]
        )
        if (is_backup or is_evidence) and (place.parent / vault.DESCRIPTION).is_file():
            return place.parent
    return None


def protects(folder: Path, target: Path) -> bool:
    """Return whether a vault is of the database at a place: as it says, or where it is."""
    if not (folder / vault.DESCRIPTION).is_file():
        return False
    own = _read_protected(folder)
    if own is not None:
        return own == target.resolve()
    with suppress(VaultError, OSError):
        if Path(vault.read_description(folder).protects).resolve() == target.resolve():
            return True
    return folder.absolute() == default_vault(target).absolute()


def _read_protected(folder: Path) -> Path | None:
    """Return the database that a vault says it protects."""
    with suppress(VaultError, OSError):
        identity = vault.read_description(folder).identity
        if identity is not None and identity.target is not None:
            return Path(identity.target).resolve()
    return None
