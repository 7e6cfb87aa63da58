"""Putting a database back to what an evidence folder holds: the undo of a recovery."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.canonical import JsonValue
from neotoma_core.errors import UsageError, VaultDamaged
from neotoma_core.ops.erased_copies import without_erased
from neotoma_core.ops.evidence import secure_database, write_manifest
from neotoma_core.ops.progress import Progress
from neotoma_core.ops.reporting import undo_command
from neotoma_core.ops.run import RecoverRequest, Run, target_of
from neotoma_core.report.document import document
from neotoma_core.store import vault
from neotoma_core.store.copies import sha256_of
from neotoma_core.store.databases import check_integrity, connect_read_only, make_whole
from neotoma_core.store.keys import KeySource
from neotoma_core.store.replacing import replace_database

_TARGET = "target"


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """One restore. ``undo`` puts back what was there before it.

    ``erased``: rows the vault knows to be erased, which were left out.
    """

    evidence: str
    target: str
    outcome: str
    erased: int
    undo: str | None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


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


def restore_evidence(  # noqa: PLR0913 - from where, to where, by which means
    evidence: Path,
    target: Path,
    vault_folder: Path,
    now: datetime,
    progress: Progress,
    *,
    key: KeySource | None = None,
) -> RestoreReport:
    """Put ``target`` back to the copy in ``evidence``; what is there now becomes new evidence.

    What was erased is left out: it is erased from the copy before that takes the target's place.
    ``key``: where the key of encrypted columns is, for snapshots that change because of it.
    Raises TargetLocked while another program is connected to the target; KeyMissing.
    """
    copy = check_evidence(evidence)
    present = target_of(target)
    vault.open_vault(vault_folder, target)
    with vault.locked(vault_folder):
        folders = vault.new_run(vault_folder, now)
        request = RecoverRequest(target, (), vault_folder)
        run = Run(request, folders, present, (), (), (), now)
        try:
            kept = tuple(secure_database(run, d, progress) for d in run.databases)
            write_manifest(run, kept)
            whole = _whole(copy, target, folders) if copy else None
            erased = 0
            if whole is not None:
                vaults = (vault_folder, evidence.absolute().parent.parent)
                whole, erased = without_erased(whole, vaults, run, key)
            replace_database(target, whole)
        finally:
            vault.remove_work(folders)
    return RestoreReport(str(evidence), str(target), "restored", erased, undo_command(run))


def _whole(copy: Path, target: Path, folders: vault.RunFolders) -> Path:
    whole = make_whole(copy, copy, folders.work / "restore")
    with closing(connect_read_only(whole)) as connection:
        check_integrity(connection, target)
    return whole


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
