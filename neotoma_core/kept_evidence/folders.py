"""The evidence folders of a vault: whose they are, and the databases in them, proven."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.documents.models import NotAsModelled, read_model
from neotoma_core.errors import BackupError, VaultDamaged
from neotoma_core.files.atomic import announce, sync_folder
from neotoma_core.files.headers import JOURNAL, LOG
from neotoma_core.kept_evidence.logs import ReadLog
from neotoma_core.kept_evidence.retention import EvidenceFacts
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.sqlite.opening import make_whole
from neotoma_core.vault.documents import EvidenceDatabase, EvidenceFile, EvidenceManifest
from neotoma_core.vault.folder import (
    EVIDENCE,
    UNFINISHED,
    RunFolders,
    list_unfinished_runs,
    read_json,
)

STEPS: Final = ("evidence_removed",)
_MANIFEST: Final = "manifest.json"
_STAMP: Final = "%Y-%m-%dT%H-%M-%SZ"
_STAMP_LENGTH: Final = 20
_LISTS: Final = (_MANIFEST, "raw_files.parquet", UNFINISHED)
UNTOLD: Final = "damaged: nothing can tell what it holds"
_LEFT: Final = "left-behind"
_JOURNAL: Final = "it holds the rollback journal of a database that is gone"
_STRAY: Final = "it holds files that its manifest does not name"


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """The evidence of one run. ``databases``: what its manifest says is in it.

    ``logs``: of a database that was gone by then.
    """

    folder: Path
    facts: EvidenceFacts
    databases: tuple[EvidenceDatabase, ...] = ()
    logs: tuple[EvidenceFile, ...] = ()

    @property
    def bytes(self) -> int:
        """How many bytes it takes."""
        return sum(path.lstat().st_size for path in self.folder.rglob("*"))


def list_evidence(vault: Path, current: str) -> tuple[KeptEvidence, ...]:
    """Return the evidence of a vault, oldest first, less that of the run that holds it."""
    place = vault / EVIDENCE
    unfinished = set(list_unfinished_runs(vault))
    found = sorted(place.iterdir()) if place.is_dir() and not place.is_symlink() else []
    return tuple(
        _read(folder, unfinished=folder.name in unfinished)
        for folder in found
        if folder.is_dir() and not folder.is_symlink() and folder.name != current
    )


def _read(folder: Path, *, unfinished: bool) -> KeptEvidence:
    databases: tuple[EvidenceDatabase, ...] = ()
    left: tuple[EvidenceFile, ...] = ()
    try:
        manifest = read_model(EvidenceManifest, read_json(folder / _MANIFEST))
    except (OSError, NotAsModelled, VaultDamaged):
        problem = "its manifest cannot be read"
    else:
        databases, left = manifest.databases, manifest.left_behind
        problem = _JOURNAL if any(file.name.endswith(JOURNAL) for file in left) else ""
        problem = problem or (_STRAY if _has_more(folder, manifest) else "")
    facts = EvidenceFacts(folder.name, _taken_at(folder.name), unfinished, problem)
    logs = tuple(file for file in left if file.name.endswith(LOG))
    return KeptEvidence(folder, facts, databases, logs)


def _taken_at(name: str) -> datetime | None:
    try:
        return datetime.strptime(name[:_STAMP_LENGTH], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _has_more(folder: Path, manifest: EvidenceManifest) -> bool:
    """Return whether there is more in a folder than the files that its manifest lists."""
    known = {folder / one.label / file.name for one in manifest.databases for file in one.files}
    known |= {folder / _LEFT / file.name for file in manifest.left_behind}
    known |= {folder / name for name in _LISTS}
    return any(path.is_symlink() or not path.is_dir() for path in {*folder.rglob("*")} - known)


def open_evidence(kept: KeptEvidence, scratch: Path, read: ReadLog | None = None) -> Iterator[Path]:
    """Yield each database that evidence holds as one whole file, every byte proven.

    One that came of an archive has no copy here; of a log, the database that ``read`` makes of it
    is yielded. Raises BackupError where it is not what was kept, or what it holds cannot be read.
    """
    for number, database in enumerate(kept.databases):
        place = kept.folder / database.label
        if not place.exists():
            continue
        for file in database.files:
            _require_kept(kept, place / file.name, file)
        copy = place / database.files[0].name
        yield make_whole(copy, copy, scratch / str(number))
    for number, file in enumerate(kept.logs):
        log = kept.folder / _LEFT / file.name
        _require_kept(kept, log, file)
        rows = read(log, scratch / f"log-{number}") if read else None
        if rows is None:
            raise BackupError(kept.folder, UNTOLD, "look at it yourself")
        yield rows


def _require_kept(kept: KeptEvidence, path: Path, file: EvidenceFile) -> None:
    if not path.is_file() or path.is_symlink() or sha256_of(path) != file.sha256:
        raise BackupError(kept.folder, UNTOLD, "restore it from a copy of the vault")


def remove_evidence(folders: RunFolders, run: str) -> None:
    """Take a run's evidence away from the others in one step, and remove it."""
    gone = folders.work / f"evidence-of-{run}"
    (folders.vault / EVIDENCE / run).rename(gone)
    sync_folder(folders.vault / EVIDENCE)
    announce("evidence_removed")
    shutil.rmtree(gone, ignore_errors=True)
