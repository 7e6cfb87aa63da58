"""The database an archive describes, rebuilt in the scratch of a run and proven row by row."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import polars as pl

from neotoma_core.archive_tables.reading import DamagedFile, column_types, read_files, read_table
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.archive_tables.unnamed import find_lost
from neotoma_core.errors import ArchiveDamaged, VerificationFailed
from neotoma_core.files.atomic import announce
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import Table
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import ARCHIVED, ARCHIVED_AT, ODD, REMOVED, ROW_HASH, key_of
from neotoma_core.row_versions.database_file import new_database
from neotoma_core.row_versions.hashed_rows import hash_keys
from neotoma_core.row_versions.row_hash import tell_apart
from neotoma_core.row_versions.versions import as_of, in_order, latest, standing
from neotoma_core.sqlite.inspection import list_tables
from neotoma_core.sqlite.opening import connect_read_only

Which = Literal["everything", "standing"]

_SCHEMAS: Final = "schema_registry"
_FACTS: Final = (ROWID, ROW_HASH, ARCHIVED_AT)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of an archive: everything it ever had, or what stood in the database.

    The one in its last version, the other at the last run or as of a ``moment``. ``damaged``: go on
    without files that cannot be read.
    """

    which: Which = "standing"
    moment: datetime | None = None
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class ArchivedDatabase:
    """A database built from an archive: its rows by table, and the files that were left out.

    ``notes``: what else there is to say of the archive.
    """

    path: Path
    rows: Mapping[str, int]
    damaged: tuple[DamagedFile, ...]
    notes: tuple[Finding, ...] = ()

    def findings(self) -> Iterator[Finding]:
        """Yield what of the archive could not be read, and what else there is to say of it."""
        yield from map(damage_finding, self.damaged)
        yield from self.notes


def damage_finding(file: DamagedFile) -> Finding:
    """Return the finding of a file of an archive that cannot be read, or of what a table lacks."""
    return Finding("archive-damaged", str(file.path), file.reason)


def notes_of(archive: Archive) -> tuple[Finding, ...]:
    """Return what there is to say of the record of an archive, all of whose tables can be read."""
    if archive.record is None and not archive.wrong:
        detail = (
            "made by an older midden, it does not record what it committed, so that a commit it "
            "lost would not be noticed; the next `midden archive` begins the record"
        )
        return (Finding("archive-unrecorded", str(archive.path), detail),)
    detail = (
        "it is missing or damaged; what it said is known, and the next `midden archive` mends it"
    )
    return tuple(Finding("archive-harmed", str(path), detail) for path in archive.harmed)


def build_database(
    archive: Archive, path: Path, selection: Selection, progress: Progress
) -> ArchivedDatabase:
    """Build the selected rows into a new database at ``path`` and prove that they are in it.

    Derived tables are empty. Raises ArchiveDamaged, ArchiveError, VerificationFailed.
    """
    progress.begin("read", len(ARCHIVED))
    removed = read_table(archive, REMOVED, ("table", ROW_HASH, ARCHIVED_AT))
    damaged = list(removed.damaged)
    rows: dict[str, pl.DataFrame] = {}
    for table in ARCHIVED:
        gone = removed.rows.filter(pl.col("table") == table.name)
        rows[table.name], lost = _select_rows(archive, table, gone, selection)
        damaged += lost
        progress.advance(1)
    if archive.record is None:
        damaged += find_lost(archive)
    if damaged and not selection.damaged:
        first = damaged[0]
        advice = "restore it from a copy, or go on without it with --skip-unreadable"
        raise ArchiveDamaged(first.path, first.reason, advice)
    broken = new_database(path, rows, archive.release)
    announce("database_built", path)
    _prove(archive, path, rows, len(broken))
    counts = {name: frame.height for name, frame in rows.items()}
    return ArchivedDatabase(path, counts, tuple(dict.fromkeys(damaged)), notes_of(archive))


def _select_rows(
    archive: Archive, table: Table, removed: pl.DataFrame, selection: Selection
) -> tuple[pl.DataFrame, list[DamagedFile]]:
    """Return the selected rows of one table, in the order in which they came."""
    key = key_of(table.name)
    facts = (*_FACTS, key, "created_at") if selection.moment else (*_FACTS, key)
    read = read_table(archive, table.name, tuple(dict.fromkeys(facts)))
    versions = read.rows
    chosen = _choose_versions(table.name, versions, removed, selection)
    places = in_order(chosen, versions, key).select(ROW_HASH, ARCHIVED_AT).with_row_index("_place")
    columns = (*table.names, ODD, ROW_HASH, ARCHIVED_AT)
    parts = [pl.DataFrame(schema=column_types(table.name, columns))]
    damaged = list(read.damaged)
    for _, part in read_files(table.name, read.files, columns):
        if isinstance(part, DamagedFile):
            damaged.append(part)
        else:
            parts.append(part)
    rows = pl.concat(parts)
    if damaged:  # a file in the place of another has rows of its own twice
        rows, places = (f.unique([ROW_HASH, ARCHIVED_AT], keep="first") for f in (rows, places))
    rows = rows.join(places, on=[ROW_HASH, ARCHIVED_AT])
    return rows.sort("_place").drop("_place", ARCHIVED_AT), damaged


def _choose_versions(
    table: str, versions: pl.DataFrame, removed: pl.DataFrame, selection: Selection
) -> pl.DataFrame:
    key = key_of(table)
    if selection.moment is not None and table == _SCHEMAS:
        # Neotoma reduces as of a time by the schemas of today; these are the nearest to then.
        return standing(_then(versions, selection.moment), removed, key)
    if selection.moment is not None:
        return as_of(versions, removed, key, selection.moment)
    if selection.which == "everything":
        return latest(versions, key)
    return standing(versions, removed, key)


def _then(versions: pl.DataFrame, moment: datetime) -> pl.DataFrame:
    """Return the versions archived by a moment, or all where there is none."""
    by_then = versions.filter(pl.col(ARCHIVED_AT) <= pl.lit(moment))
    return by_then if by_then.height else versions


def _prove(archive: Archive, path: Path, rows: Mapping[str, pl.DataFrame], broken: int) -> None:
    """Raise VerificationFailed unless the database holds the selected rows, hash for hash."""
    with closing(connect_read_only(path)) as connection:
        stored = {table.name: table for table in list_tables(connection, path)}
    failed = [f"{broken:,} rows with cells that are not literals"] if broken else []
    for name, expected in rows.items():
        if name not in stored and expected.is_empty():
            continue  # of a later release than the database is
        found = tell_apart(hash_keys(path, stored[name].known, stored[name].columns))
        there = expected.select(ROW_HASH).join(found, on=ROW_HASH, how="semi").height
        if there != expected.height:
            failed.append(f"{name}: {expected.height - there:,} rows are not as archived")
        elif found.height != expected.height:
            failed.append(f"{name}: {found.height - expected.height:,} rows were not archived")
    if failed:
        raise VerificationFailed(f"archive {archive.path}", tuple(failed))
