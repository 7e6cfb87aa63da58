"""Securing evidence: every file, copied and hashed before it is opened."""

from dataclasses import dataclass
from pathlib import Path

from neotoma_core.archive_tables.reading import DamagedFile
from neotoma_core.errors import BackupUnreadable, TargetLocked
from neotoma_core.files.atomic import announce
from neotoma_core.files.headers import INDEX, JOURNAL, companion, companions, follow
from neotoma_core.files.private import make_folders
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.runs.run import DatabaseRef, Run
from neotoma_core.sqlite.copies import (
    CopiedFile,
    FileState,
    copy_database,
    copy_left_behind,
    is_unchanged,
    read_file_state,
)
from neotoma_core.vault import folder as vault
from neotoma_core.vault.leftovers import remove_needless

# In addition to the copies: a second copy of a database with a log, frames, staging.
_WORK_PER_BYTE = 3
_HEADROOM = 16 << 20


@dataclass(frozen=True, slots=True)
class DatabaseEvidence:
    """The copies of one database.

    ``damaged``: files of an archive that were left out; ``notes``: what else is to say of it.
    """

    database: DatabaseRef
    folder: Path
    files: tuple[CopiedFile, ...]
    damaged: tuple[DamagedFile, ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def copy(self) -> Path:
        """The copied database file itself."""
        built = self.database.archived
        return built.database if built else self.folder / self.database.path.name

    @property
    def number(self) -> int:
        """The number of the database in its run."""
        return self.database.number

    @property
    def found_at(self) -> Path:
        """Where the user has the database."""
        return self.database.found_at

    @property
    def size(self) -> int:
        """Bytes copied, or hashed where they are an archive's own."""
        return sum(file.size for file in self.files)

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 by suffix: ``""`` the database, ``-wal``, ``-journal``: what its rows are in."""
        digests = {suffix: file.sha256 for suffix, file in self.by_suffix.items()}
        return {suffix: digest for suffix, digest in digests.items() if suffix != INDEX}

    @property
    def by_suffix(self) -> dict[str, CopiedFile]:
        """The copies, by what their names have after the name of the database."""
        name = self.database.path.name
        return {file.name.removeprefix(name): file for file in self.files}


def require_space(run: Run) -> int:
    """Return how many bytes the evidence will take; raises DiskFull before anything is copied."""
    needed = sum(map(_bytes_of, run.databases))
    vault.require_room(run.folders.vault, needed * (1 + _WORK_PER_BYTE) + _HEADROOM)
    return needed


def secure_database(run: Run, database: DatabaseRef, progress: Progress) -> DatabaseEvidence:
    """Copy one database into the run's evidence; raises TargetLocked or BackupUnreadable.

    Of an archive the files were hashed as its database was built: nothing ever changes them.
    """
    if (built := database.archived) is not None:
        folder = built.database.parent
        return DatabaseEvidence(database, folder, built.files, built.damaged, built.notes)
    folder = _new_folder(run.folders.evidence / database.label)
    try:
        files = copy_database(database.path, folder, progress.advance)
        if database.suspect and database.origin is not None and not _is_evidence(run, database):
            (folder / "damaged").mkdir(mode=0o700)
            copy_database(database.origin, folder / "damaged", progress.advance)
    except TargetLocked as error:
        if database.number == TARGET:
            raise
        advice = "close the program that uses it, or leave it out"
        raise BackupUnreadable(database.named, "locked by another program", advice) from error
    return DatabaseEvidence(database, folder, files)


def _is_evidence(run: Run, database: DatabaseRef) -> bool:
    """Return whether what a database was salvaged from is kept anyway, or lies in an archive."""
    return bool(database.member) or (run.ruin is not None and database.found_at == run.path)


def ruin_evidence(run: Run) -> tuple[DatabaseEvidence, ...]:
    """Return the evidence of the target where it is a ruin, whose files are copied by then."""
    if run.ruin is None:
        return ()
    target = DatabaseRef(TARGET, "target", run.path, run.target_environment)
    return (DatabaseEvidence(target, run.ruin.folder, run.ruin.files),)


def _bytes_of(database: DatabaseRef) -> int:
    if database.archived is not None:
        return database.archived.database.stat().st_size
    path = database.path
    return sum(file.stat().st_size for file in (path, *companions(path)))


def is_current(evidence: DatabaseEvidence) -> bool:
    """Return whether the database's files are still those that were copied, by size and time.

    A journal that was left out, since it had nothing to roll back, makes no difference.
    """
    path = follow(evidence.database.path)
    journal = companion(path, JOURNAL)
    copied = {file.original for file in evidence.files} - {journal}
    there = {path, *companions(path)} - {journal}
    return copied == there and all(map(is_unchanged, evidence.files))


def states_when_locked(evidence: DatabaseEvidence, whole: Path) -> dict[str, FileState]:
    """Return what the database's files must be once it is locked, by suffix.

    ``whole``: the copy with its log applied.
    """
    if JOURNAL in evidence.hashes:
        # SQLite applies a crashed writer's journal as it locks the database, as it did to our copy.
        return {"": read_file_state(whole)}
    return {
        # A log is written over in place, its times are all that would tell: it is read again.
        suffix: FileState(f.size, None if suffix else f.mtime_ns, f.start, f.sha256)
        for suffix, f in evidence.by_suffix.items()
        if suffix != INDEX
    }


def write_manifest(run: Run, secured: tuple[DatabaseEvidence, ...]) -> Path:
    """Write the evidence manifest, which makes the copies count; return its path.

    Where there is no target, what a missing one left behind is evidence too. What unfinished
    runs left and this evidence has, too, is removed.
    """
    path = run.folders.evidence / "manifest.json"
    kept = (*ruin_evidence(run), *secured)
    databases: list[JsonValue] = [_describe(evidence) for evidence in kept]
    vault.write_json(
        path,
        {
            "format": vault.FORMAT,
            "run": run.folders.name,
            "target": str(run.path.absolute()),
            "target_existed": run.target_existed,
            "databases": databases,
            "left_behind": [_describe_file(file) for file in _secure_left_behind(run)],
        },
    )
    remove_needless(run.folders.vault, run.folders.name)
    return path


def _secure_left_behind(run: Run) -> tuple[CopiedFile, ...]:
    target = run.path
    if run.target_existed or not companions(target):
        return ()
    copies = copy_left_behind(target, _new_folder(run.folders.evidence / "left-behind"))
    announce("left_behind_kept")
    return copies


def _new_folder(folder: Path) -> Path:
    """Create ``folder``; what an earlier try of this run copied is kept under another name."""
    number = 1
    while folder.exists():
        aside = folder.with_name(f"{folder.name}-try-{number}")
        if not aside.exists():
            folder.rename(aside)
        number += 1
    make_folders(folder)
    return folder


def _describe(evidence: DatabaseEvidence) -> JsonValue:
    return {
        "label": evidence.database.label,
        "path": str(evidence.found_at.absolute()),
        "files": [_describe_file(file) for file in evidence.files],
    }


def _describe_file(file: CopiedFile) -> JsonValue:
    return {
        "name": file.name,
        "size": file.size,
        "mtime_ns": str(file.mtime_ns),
        "sha256": file.sha256,
    }
