"""The database an archive describes, rebuilt in the scratch of a run and proven row by row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from neotoma_core.archive_tables.building.proving import find_unproven
from neotoma_core.archive_tables.building.rows import find_rows
from neotoma_core.archive_tables.building.selecting import Selection
from neotoma_core.archive_tables.reading import DamagedFile
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.archive_tables.unnamed import find_lost
from neotoma_core.errors import ArchiveDamaged, VerificationFailed
from neotoma_core.files.atomic import announce
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.database_file import new_database
from neotoma_core.stages.places import Folder
from neotoma_core.stages.runner import Work

__all__ = ["ArchivedDatabase", "Selection", "Work", "build_database", "damage_finding", "notes_of"]


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
    archive: Archive,
    path: Path,
    selection: Selection,
    progress: Progress,
    work: Work | None = None,
) -> ArchivedDatabase:
    """Build the selected rows into a new database at ``path`` and prove that they are in it.

    Derived tables are empty. Memory holds a few buckets of rows, however large the archive; see
    ``building/``. Raises ArchiveDamaged, ArchiveError, VerificationFailed.
    """
    work = work or Work()
    with (work.place or Folder(path.parent)).for_a_job() as place:
        found = find_rows(archive, place, work, selection, progress)
        damaged = found.damaged
        if archive.record is None:
            damaged += tuple(find_lost(archive))
        if damaged and not selection.damaged:
            first = damaged[0]
            advice = "restore it from a copy, or go on without it with --skip-unreadable"
            raise ArchiveDamaged(first.path, first.reason, advice)
        broken = new_database(path, found.tables, archive.release)
        announce("database_built", path)
        failed = [f"{len(broken):,} rows with cells that are not literals"] if broken else []
        failed += find_unproven(path, found.tables)
    if failed:
        raise VerificationFailed(f"archive {archive.path}", tuple(failed))
    counts = {name: table.height for name, table in found.tables.items()}
    return ArchivedDatabase(path, counts, tuple(dict.fromkeys(damaged)), notes_of(archive))
