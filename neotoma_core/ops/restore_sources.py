"""What a database can be put back from: evidence, a backup of a vault, a folder of Neotoma's."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neotoma_core.canonical import JsonValue
from neotoma_core.environments import Environment, environment_of
from neotoma_core.errors import BackupNotIntact, UsageError, VaultDamaged
from neotoma_core.manifests import Backup
from neotoma_core.ops.backup_run import chosen
from neotoma_core.store import vault
from neotoma_core.store.backups import (
    DATABASE,
    FOLDER,
    STATE,
    list_backups,
    read_backup,
    read_raw_list,
)
from neotoma_core.store.blobs import restore_blobs
from neotoma_core.store.compressed import NotIntact, check_file, decompress_file
from neotoma_core.store.copies import sha256_of
from neotoma_core.store.databases import check_integrity, connect_read_only, make_whole
from neotoma_core.store.raw_files import copy_raw_files, raw_file_names

_TARGET = "target"
Origin = Literal["evidence", "backup", "neotoma"]


@dataclass(frozen=True, slots=True)
class RestoreSource:
    """Where a database can be put back from.

    ``copy``: the file that evidence or Neotoma's folder holds; None where evidence says that there
    was no database. ``backup``: of the vault, which is in ``folder``.
    """

    origin: Origin
    folder: Path
    copy: Path | None = None
    backup: Backup | None = None

    @property
    def says(self) -> str:
        """What is put back, as words."""
        if self.backup is not None:
            manifest = self.backup.manifest
            taken = manifest.taken_at.isoformat(sep=" ", timespec="minutes")
            observations = f"{manifest.counts.observations:,} observations"
            return f"{self.backup.name}, {observations} as of {taken}"
        return str(self.copy) if self.copy else "that there was no database"

    @property
    def vault(self) -> Path:
        """The vault the source is in, if it is in one."""
        return self.folder.absolute().parent.parent

    @property
    def environment(self) -> Environment | None:
        """The environment it was taken from, where that is known."""
        if self.backup is not None:
            return environment_of(Path(self.backup.manifest.target).name)
        return environment_of(self.copy.name) if self.copy else None


def find_source(words: str, vault_folder: Path) -> RestoreSource:
    """Return what ``words`` name: a folder, or a backup of the vault.

    Evidence and Neotoma's folders are proven here, by their hashes; a backup as it is unpacked.
    Raises UsageError where it is nothing that can be restored, VaultDamaged, BackupNotIntact.
    """
    path = Path(words)
    if not (path / "manifest.json").is_file():
        if path.exists() or "/" in words:
            raise UsageError(
                f"{words}: no evidence folder and no backup (it has no manifest.json); "
                "give the folder that a report names, or a backup that `midden backups` lists"
            )
        backup = chosen(list_backups(vault_folder), words)
        return RestoreSource("backup", vault_folder / FOLDER / backup.name, backup=backup)
    if (path / DATABASE).exists() or (path / STATE).exists():
        try:
            return RestoreSource("backup", path, backup=read_backup(path))
        except VaultDamaged as error:
            raise BackupNotIntact(path.name, "its manifest is not what was written") from error
    described = vault.read_json(path / "manifest.json")
    if isinstance(described, dict) and "checksums" in described:
        return RestoreSource("neotoma", path, copy=_neotoma_copy(path, described))
    return RestoreSource("evidence", path, copy=check_evidence(path))


def check_evidence(evidence: Path) -> Path | None:
    """Return the copied target in ``evidence``, every file proven by its hash.

    None where the run found no target: then going back means that there is none.
    Raises UsageError where the folder is no evidence, VaultDamaged where a copy has changed.
    """
    manifest = evidence / "manifest.json"
    if not manifest.is_file():
        raise UsageError(
            f"{evidence}: no evidence folder (it has no manifest.json); "
            "give the folder that the report of the run names"
        )
    described = vault.read_json(manifest)
    databases = described.get("databases") if isinstance(described, dict) else None
    if not isinstance(databases, list):
        raise VaultDamaged(manifest, "not an evidence manifest", "choose another evidence folder")
    for database in databases:
        if isinstance(database, dict) and database.get("label") == _TARGET:
            return _proven(evidence / _TARGET, database)
    return None


def unpack(source: RestoreSource, scratch: Path, target: Path) -> Path | None:
    """Return one whole, sound file to put in the target's place; None where there was none.

    Raises BackupNotIntact, BackupDamaged, BackupUnreadable.
    """
    scratch.mkdir(parents=True, mode=0o700)
    if source.backup is None:
        if source.copy is None:
            return None
        whole = make_whole(source.copy, source.copy, scratch)
    else:
        whole = scratch / "whole.db"
        try:
            for file in source.backup.manifest.files:
                check_file(source.folder, file)
            decompress_file(source.folder, source.backup.manifest.database, whole)
        except NotIntact as error:
            raise BackupNotIntact(source.backup.name, error.wrong) from None
    with closing(connect_read_only(whole)) as connection:
        check_integrity(connection, target)
    return whole


def put_raw_files(
    source: RestoreSource, scratch: Path, folders: Mapping[Environment, Path], known: Environment
) -> tuple[int, int]:
    """Copy raw files to where Neotoma looks for them; return how many, and how many are lost.

    ``folders``: of each environment. ``known``: which one the target is of. Evidence has none.
    """
    if source.origin == "neotoma":
        # Neotoma's own backups call the folder so in every environment (format, section 6.4).
        place, names = source.folder / "sources", []
        target = folders[known]
        names = [name for name in raw_file_names(place) if not (target / name).exists()]
        _, failed = copy_raw_files(place, names, target)
        return len(names) - len(failed), len(failed)
    if source.backup is None:
        return 0, 0
    try:
        listed = read_raw_list(source.folder, source.backup.manifest, scratch)
    except NotIntact as error:
        raise BackupNotIntact(source.backup.name, error.wrong) from None
    names = [name.partition("/")[2] for name in listed]
    copied, lost = restore_blobs(source.vault, names, folders[known])
    return copied, len(lost)


def _neotoma_copy(folder: Path, described: dict[str, JsonValue]) -> Path:
    """Return the database of one of Neotoma's own backups, proven by its checksum."""
    contents, checksums = described.get("contents"), described.get("checksums")
    name = contents.get("neotoma_db") if isinstance(contents, dict) else None
    expected = checksums.get(str(name)) if isinstance(checksums, dict) else None
    if not isinstance(name, str) or Path(name).name != name or not isinstance(expected, str):
        raise BackupNotIntact(str(folder), "its manifest names no database")
    path = folder / name
    if not path.is_file() or f"sha256:{sha256_of(path)}" != expected:
        raise BackupNotIntact(str(folder), f"{name} is not what its manifest says")
    return path


def _proven(folder: Path, database: dict[str, JsonValue]) -> Path:
    files = database.get("files")
    names = []
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict):
            path = folder / str(file.get("name"))
            if not path.is_file() or sha256_of(path) != file.get("sha256"):
                raise VaultDamaged(
                    path, "not the file the manifest describes", "choose another evidence folder"
                )
            names.append(path)
    if not names:
        raise VaultDamaged(folder, "the manifest lists no files", "choose another evidence folder")
    return names[0]
