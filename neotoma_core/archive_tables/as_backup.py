"""An archive as a backup: the rows it has of everything it ever saw, as a database like any other.

Its own files are its evidence; they are hashed and not copied, since nothing ever changes them.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from neotoma_core.archive_tables.database import Selection, build_database
from neotoma_core.archive_tables.reading import (
    DamagedFile,
    column_types,
    list_table,
    read_files,
)
from neotoma_core.archive_tables.tables import is_archive, open_archive
from neotoma_core.errors import (
    ArchiveDamaged,
    ArchiveError,
    BackupDamaged,
    BackupUnreadable,
    VerificationFailed,
)
from neotoma_core.neotoma.environments import Environment, environment_of
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import ARCHIVED_AT, BACKUP
from neotoma_core.sqlite.copies import CopiedFile, sha256_of
from neotoma_core.words.shell_words import midden_command

__all__ = ["SecuredArchive", "environment_of_archive", "is_archive", "secure_archive"]

_GROWTH = 8  # bytes of a database for one of the archive, by and large


@dataclass(frozen=True, slots=True)
class SecuredArchive:
    """The database that was built from an archive, and the archive's files, hashed.

    ``damaged``: those that were left out of it; ``notes``: what else there is to say.
    """

    database: Path
    files: tuple[CopiedFile, ...]
    damaged: tuple[DamagedFile, ...]
    notes: tuple[Finding, ...]


def environment_of_archive(path: Path) -> Environment | None:
    """Return the environment of the database whose rows were archived last, as its name says."""
    with suppress(ArchiveError):  # said when it is read
        listed = list_table(open_archive(path), "observations")
        last = pl.DataFrame(schema=column_types("observations", (ARCHIVED_AT, BACKUP)))
        for _, part in read_files("observations", listed.files, (ARCHIVED_AT, BACKUP)):
            if isinstance(part, pl.DataFrame):
                last = pl.concat([last, part]).sort(ARCHIVED_AT).tail(1)
        for origin in last[BACKUP]:
            return environment_of(str(origin).rpartition(" ")[0])
    return environment_of(path.absolute().name)


def archive_bytes(path: Path) -> int:
    """Return how many bytes the database in an archive will take, by and large."""
    try:
        archive = open_archive(path)
        files = [file for table in archive.tables for file in list_table(archive, table).files]
    except ArchiveError:
        return 0  # said when it is read
    return _GROWTH * sum(file.size for file in files)


def secure_archive(
    path: Path, database: Path, progress: Progress, *, skip_unreadable: bool
) -> SecuredArchive:
    """Build the database an archive describes at ``database``, and list the archive's files.

    ``skip_unreadable``: leave damaged files out instead of refusing the archive.
    Raises BackupUnreadable, BackupDamaged.
    """
    try:
        archive = open_archive(path)
        files = [file for table in archive.tables for file in list_table(archive, table).files]
        hashed = tuple(
            CopiedFile(
                file.path,
                str(file.path.relative_to(path)),
                file.size,
                file.added_ms * 1_000_000,
                sha256_of(file.path) if file.path.is_file() else "",
            )
            for file in files
        )
        selection = Selection("everything", damaged=skip_unreadable)
        built = build_database(archive, database, selection, progress)
    except ArchiveDamaged as error:
        advice = "go on with what can be read with --skip-unreadable"
        raise BackupDamaged(error.path, error.wrong, advice) from error
    except ArchiveError as error:
        raise BackupUnreadable(error.path, error.wrong, error.advice) from error
    except VerificationFailed as error:
        wrong = f"its rows are not as they were archived ({'; '.join(error.failed)})"
        looking = midden_command("verify", "--archive", path, target=None)
        raise BackupDamaged(path, wrong, f"look with: {looking}") from error
    return SecuredArchive(built.path, hashed, built.damaged, built.notes)
