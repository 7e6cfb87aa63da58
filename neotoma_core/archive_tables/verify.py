"""Verifying an archive: all that was committed is there, every row is what was archived."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

import polars as pl

from neotoma_core.archive_tables.building.sources import is_large, spans_of
from neotoma_core.archive_tables.database import damage_finding, notes_of
from neotoma_core.archive_tables.reading import (
    ArchivedFile,
    DamagedFile,
    TableProof,
    column_types,
    list_table,
    read_file,
)
from neotoma_core.archive_tables.strays import Kind
from neotoma_core.archive_tables.tables import Archive, open_archive
from neotoma_core.archive_tables.unnamed import strange_entries, strays_of
from neotoma_core.archive_tables.verification_report import ArchiveVerification, VerifiedTable
from neotoma_core.errors import ArchiveError
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import ROW_HASH, SCHEMAS
from neotoma_core.row_versions.hashed_rows import hash_frame
from neotoma_core.row_versions.row_hash import hash_again

_MOST_TWINS = 10_000


_NOTES: Final = frozenset({"archive-unrecorded", "archive-leftover"})
"""Kinds of findings that say nothing against what is in the archive."""

_STRAY: Final[dict[Kind, str]] = {
    "copied": "a run that was killed left this file; all its rows are in the table",
    "uncommitted": "a run that has not finished wrote this file; `midden archive` completes it",
    "unexplained": "no commit names this file; see what it is, and move it out of the archive",
}

_REPEATED: Final = "a run that was killed left this file; later runs appended all its rows"


def verify_archive(
    place: Path, progress: Progress, strange: Iterable[Finding] | None = None
) -> ArchiveVerification:
    """Read every file of an archive, hash every row again, and compare all with its record.

    ``strange``: for the mirror of a store, what else is there. None for an archive in a folder:
    there, but not on a store, the next run removes what a killed one left. What is wrong is a
    finding, and everything else is checked all the same. Raises ArchiveError where the folder is
    not a readable archive.
    """
    archive = open_archive(place)
    progress.begin("verify", len(SCHEMAS))
    tables, findings = [], list(notes_of(archive))
    for name in archive.tables:
        table, found = _verify_table(archive, name)
        tables.append(table)
        findings += found
        progress.advance(1)
    findings += [f for name in SCHEMAS for f in _strays(archive, name, tidied=strange is None)]
    findings += [
        Finding("archive-strange", str(f.path), f.reason) for f in strange_entries(archive)
    ]
    findings = list(dict.fromkeys((*findings, *(strange or ()))))
    damaged = any(finding.kind not in _NOTES for finding in findings)
    outcome: Literal["verified", "damaged"] = "damaged" if damaged else "verified"
    return ArchiveVerification(str(place), outcome, tuple(tables), tuple(findings))


def _verify_table(archive: Archive, name: str) -> tuple[VerifiedTable, list[Finding]]:
    damaged = 0
    try:
        listed = list_table(archive, name)
    except ArchiveError as error:
        return VerifiedTable(name, 0, 0, 0), [_damage_finding(error.path, error.wrong)]
    findings = [damage_finding(listed.lost)] if listed.lost else []
    proof = TableProof(archive, name, listed)
    rows = 0
    for file in listed.files:
        read, wrong = _verify_file(name, file, proof)
        rows += read
        damaged += 1 if wrong else 0
        findings += [damage_finding(wrong)] if wrong else []
    if not findings:
        _, lost = proof.outcome()
        findings += [damage_finding(lost)] if lost else []
    return VerifiedTable(name, len(listed.files), rows, damaged), findings


def _verify_file(
    name: str, file: ArchivedFile, proof: TableProof
) -> tuple[int, DamagedFile | None]:
    """Return how many rows a file has, read piece by piece, and what is wrong with it.

    Rows that are not what was archived count; one of a file that cannot be read does not.
    """
    wanted = column_types(name, None)
    changed, parts = 0, []
    for span in spans_of(file) if is_large(file) else (None,):
        part = read_file(name, file, wanted, span)
        if isinstance(part, DamagedFile):
            return 0, part
        parts.append(part.select(proof.columns.keys()))
        changed += _count_changed(name, part)
    for proving in parts:
        proof.add(proving)
    wrong = DamagedFile(file.path, f"{changed:,} rows are not what was archived")
    return sum(part.height for part in parts), wrong if changed else None


def _damage_finding(path: Path, wrong: str) -> Finding:
    return damage_finding(DamagedFile(path, wrong))


def _strays(archive: Archive, name: str, *, tidied: bool) -> Iterator[Finding]:
    """Yield the Parquet files of a table that no commit names.

    Without a record nobody can tell what a killed run left from what a lost commit named.
    """
    try:
        strays = strays_of(archive, name, archive.record)
    except ArchiveError:  # what is wrong with the table is said already
        return
    for stray in strays:
        if not tidied and stray.is_repeated and stray.kind == "unexplained":
            yield Finding("archive-leftover", str(stray.path), _REPEATED)
        elif stray.kind == "unexplained":
            yield Finding("archive-unnamed", str(stray.path), _STRAY[stray.kind])
        else:
            yield Finding("archive-leftover", str(stray.path), _STRAY[stray.kind])


def _count_changed(name: str, rows: pl.DataFrame) -> int:
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
