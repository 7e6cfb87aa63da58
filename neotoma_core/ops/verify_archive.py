"""Verifying an archive: every file is there and readable, every row is what was archived."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from neotoma_core.archive.columns import ROW_HASH, SCHEMAS
from neotoma_core.archive.row_hash import hash_again
from neotoma_core.errors import ArchiveError
from neotoma_core.ops.archived_database import damaged_file
from neotoma_core.ops.progress import Progress
from neotoma_core.report.archive_verification import ArchiveVerification, VerifiedTable
from neotoma_core.report.findings import Finding
from neotoma_core.store.archive import Archive, open_archive
from neotoma_core.store.archive_reading import DamagedFile, read_files
from neotoma_core.store.hashed_rows import hash_frame
from neotoma_core.tables import BY_NAME

_MOST_TWINS = 10_000


def verify_archive(place: Path, progress: Progress) -> ArchiveVerification:
    """Read every file of an archive and hash every row anew.

    What is wrong is a finding, and everything else is looked at all the same. Raises ArchiveError
    where the folder is no archive that can be read at all.
    """
    archive = open_archive(place)
    progress.begin("verify", len(SCHEMAS))
    tables, findings = [], []
    for name in archive.tables:
        table, found = _verified(archive, name)
        tables.append(table)
        findings += found
        progress.advance(1)
    return ArchiveVerification(
        str(place), "damaged" if findings else "verified", tuple(tables), tuple(findings)
    )


def _verified(archive: Archive, name: str) -> tuple[VerifiedTable, list[Finding]]:
    files = rows = damaged = 0
    findings = []
    try:
        for file, part in read_files(archive, name):
            files += 1
            if isinstance(part, DamagedFile):
                damaged += 1
                findings.append(damaged_file(part))
                continue
            rows += part.height
            wrong = _changed(name, part)
            if wrong:
                damaged += 1
                detail = f"{wrong:,} rows are not what was archived"
                findings.append(Finding("archive-damaged", str(file.path), detail))
    except ArchiveError as error:
        findings.append(Finding("archive-damaged", str(error.path), error.wrong))
    return VerifiedTable(name, files, rows, damaged), findings


def _changed(name: str, rows: pl.DataFrame) -> int:
    """Return how many rows do not have the hash that they were archived with."""
    if name not in BY_NAME or rows.is_empty():
        return 0
    both = rows.select(stored=ROW_HASH).with_columns(
        hash_frame(BY_NAME[name], rows).alias("content")
    )
    others = both.filter(pl.col("stored") != pl.col("content"))
    return sum(not _is_twin(*pair) for pair in others.select("content", "stored").iter_rows())


def _is_twin(content: str, stored: str) -> bool:
    """Return whether a hash is that of the second or a later of rows that are all the same."""
    return any(hash_again(content, number) == stored for number in _numbers())


def _numbers() -> Iterator[int]:
    return iter(range(2, _MOST_TWINS))
