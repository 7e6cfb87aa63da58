"""What a database can be put back from: evidence, a backup of a vault, a folder of Neotoma's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neotoma_core.documents.models import NotAsModelled, read_model
from neotoma_core.errors import (
    BackupNotIntact,
    UsageError,
    VaultDamaged,
)
from neotoma_core.find.vault_copies import backup_of_vault, in_vault
from neotoma_core.ledger.file import read_ledger
from neotoma_core.neotoma.environments import Environment, environment_of
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.runs.commands import command_again
from neotoma_core.runs.named_backups import (
    NamedBackup,
    files_in,
    find_named,
    split_member,
)
from neotoma_core.runs.run import require_readable
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.vault import folder as vault
from neotoma_core.vault.backups import FOLDER, MANIFEST
from neotoma_core.vault.documents import EvidenceDatabase, EvidenceManifest
from neotoma_core.vault.manifests import Backup
from neotoma_core.vault.stored_backup import is_vault_backup, read_vault_backup

_TARGET = "target"
Origin = Literal["evidence", "backup", "neotoma"]


@dataclass(frozen=True, slots=True)
class RestoreSource:
    """Where a database can be put back from.

    ``copy``: the file that evidence or Neotoma's folder holds; None where evidence says that there
    was no database. ``backup``: of the vault, which is in ``folder``. ``packed``: what has to be
    unpacked first; then there is neither. ``taken_of``, ``taken_by``: the target that evidence was
    taken of, and the run that took it, where it says so.
    """

    origin: Origin
    folder: Path
    copy: Path | None = None
    backup: Backup | None = None
    packed: NamedBackup | None = None
    taken_of: Path | None = None
    taken_by: str = ""

    @property
    def says(self) -> str:
        """What is put back, as words."""
        if self.backup is not None:
            manifest = self.backup.manifest
            taken = manifest.taken_at.isoformat(sep=" ", timespec="minutes")
            observations = f"{manifest.counts.observations:,} observations"
            return f"{self.backup.name}, {observations} as of {taken}"
        if self.packed is not None:
            return f"the database in {self.folder}"
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


def find_source(words: str, vault_folder: Path, target: Path | None = None) -> RestoreSource:
    """Return what ``words`` name: a folder, a file, or a backup of the vault.

    ``target``: what is to be put back. Evidence and Neotoma's folders are proven here, by their
    hashes; a backup as it is unpacked. Raises UsageError where it is nothing that can be restored,
    BackupUnreadable, VaultDamaged, BackupNotIntact.
    """
    path = backup_of_vault(Path(words))
    if is_vault_backup(path):
        return RestoreSource("backup", path, backup=read_vault_backup(path))
    described = _read_manifest(path)
    if "checksums" in described:
        return RestoreSource("neotoma", path, copy=_neotoma_copy(path, described))
    if described:
        evidence = _evidence(path)
        return RestoreSource(
            "evidence",
            path,
            copy=check_evidence(path),
            taken_of=Path(evidence.target),
            taken_by=evidence.run,
        )
    if (backup := in_vault(words, vault_folder)) is not None:
        return RestoreSource("backup", vault_folder / FOLDER / backup.name, backup=backup)
    if not split_member(path)[0].exists():
        raise UsageError(
            f"{words}: there is no such file or folder; give the folder that a report names, or a "
            f"backup that is listed by: {command_again('backups')}"
        )
    return _unproven(path, target)


def _read_manifest(folder: Path) -> dict[str, JsonValue]:
    """Return what the manifest in a folder says; empty where there is none.

    Neotoma writes its manifest last: one that it did not write to the end counts as none where a
    database is next to it, which evidence never has. Raises VaultDamaged.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return {}
    try:
        described = vault.read_json(manifest)
    except VaultDamaged:
        described = None
    if isinstance(described, dict) and described.keys() & {"checksums", "databases"}:
        return described
    if any(file.kind == "sqlite" for file in files_in(folder)):
        return {}
    raise VaultDamaged(manifest, "not an evidence manifest", "choose another evidence folder")


def _unproven(path: Path, target: Path | None) -> RestoreSource:
    """Return a source that nothing proves but SQLite's own check, once it is unpacked."""
    named = find_named(path, environment_of(target.name) if target else None)
    if named.is_database:
        require_readable(named.path)
        require_other(named.path, target)
        return RestoreSource("neotoma", path if path.is_dir() else path.parent, copy=named.path)
    return RestoreSource("neotoma", path, packed=named)


def require_other(copy: Path | None, target: Path | None) -> None:
    """Raise UsageError where the source is the target itself."""
    if copy is not None and target is not None and target.exists() and copy.samefile(target):
        raise UsageError(f"{copy}: it is the target itself; name what is to take its place")


def check_evidence(evidence: Path) -> Path | None:
    """Return the copied target in ``evidence``, every file proven by its hash.

    None where the run found no target: then going back means that there is none. Raises UsageError
    where the folder does not hold evidence, VaultDamaged where a copy has changed.
    """
    manifest = evidence / "manifest.json"
    if not manifest.is_file():
        raise UsageError(
            f"{evidence}: not an evidence folder (it has no manifest.json); "
            "give the folder that the report of the run names"
        )
    for database in _evidence(evidence).databases:
        if database.label == _TARGET:
            return _proven(evidence / _TARGET, database)
    return None


def _evidence(folder: Path) -> EvidenceManifest:
    """Return what the manifest of evidence says; raises VaultDamaged."""
    manifest = folder / MANIFEST
    advice = "choose another evidence folder"
    try:
        described = read_model(EvidenceManifest, vault.read_json(manifest))
    except NotAsModelled as error:
        raise VaultDamaged(manifest, f"not an evidence manifest: {error}", advice) from None
    if described.format != vault.FORMAT:
        raise VaultDamaged(manifest, "made by a newer midden", "update midden")
    return described


def require_nothing_erased_since(source: RestoreSource, vault_folder: Path) -> None:
    """Raise UsageError where what was erased would come back with a ruin, which cannot be erased.

    A run is called after the moment at which it began, to the second: within one second nobody can
    tell which of two was first.
    """
    taken = source.taken_by
    for folder in dict.fromkeys((vault_folder, source.vault)):
        erased_at = read_ledger(folder).last_erased_at
        if erased_at is not None and erased_at.replace(":", "-") >= taken[: len(erased_at)]:
            raise UsageError(
                f"{source.folder}: of a damaged database, from before an erasure: what was erased "
                "would come back with it, and nothing can be erased from it; nothing was changed"
            )


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


def _proven(folder: Path, database: EvidenceDatabase) -> Path:
    """Return the database in a folder of evidence, with all its files as they were copied.

    A file elsewhere that a link leads to is not among them.
    """
    names = []
    for file in database.files:
        path = folder / file.name
        plain = path.parent == folder and path.is_file() and not path.is_symlink()
        if not plain or sha256_of(path) != file.sha256:
            raise VaultDamaged(
                path, "not the file the manifest describes", "choose another evidence folder"
            )
        names.append(path)
    if not names:
        raise VaultDamaged(folder, "the manifest lists no files", "choose another evidence folder")
    return names[0]
