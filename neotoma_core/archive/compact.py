"""Compacting an archive: fewer, larger, sorted files; old ones go after their retention."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from neotoma_core.archive.compaction_plan import (
    LARGE_BYTES,
    RETENTION,
    CompactionPlan,
    SizedFile,
    plan_compaction,
    retention_hours,
    sort_columns,
)
from neotoma_core.archive.compaction_report import CompactionReport, TableCompaction
from neotoma_core.archive_tables.committed import Committed
from neotoma_core.archive_tables.reading import ArchivedFile, read_table, table_files
from neotoma_core.archive_tables.rewriting import read_pins, remove_old, rewrite_files, write_pins
from neotoma_core.archive_tables.tables import (
    Archive,
    lock_archive,
    open_archive,
    record_commits,
    record_found,
)
from neotoma_core.archive_tables.writing import commit_number, version_of
from neotoma_core.files.failures import failures_named
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.vault.lease import PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class CompactRequest:
    """Which archive, how long old files stay, and what of it is pinned or no longer is.

    ``large``: the size in bytes from which a file stays as it is.
    """

    archive: Path
    retention: timedelta = RETENTION
    pin: str | None = None
    unpin: str | None = None
    large: int = field(default=LARGE_BYTES)


def plan_only(request: CompactRequest, progress: Progress) -> CompactionReport:
    """Report what a compaction would do; nothing is written. Raises what ``compact`` raises."""
    clock = Clock()
    archive = open_archive(request.archive)
    hours = retention_hours(request.retention)
    _read_commits(archive)
    tables = tuple(_plan_tables(archive, request, hours, progress))
    return _report(archive, "planned", tables, clock)


def compact_archive(request: CompactRequest, now: datetime, progress: Progress) -> CompactionReport:
    """Compact an archive, table by table; waits for a run that is appending to it.

    A pin keeps the files of the tables as they are before the compaction. Raises ArchiveError,
    UsageError for a retention that is too short, DiskFull, VerificationFailed.
    """
    clock = Clock()
    archive = open_archive(request.archive)
    hours = retention_hours(request.retention)
    with (
        failures_named(request.archive, "archive"),
        lock_archive(request.archive, PATIENCE_SECONDS),
    ):
        archive = open_archive(request.archive)
        archive = record_found(archive, _read_commits(archive))
        _change_pins(archive, request)
        tables = tuple(_compact_tables(archive, request, hours, now, progress))
    clock.lap("compact")
    return _report(archive, "compacted", tables, clock)


def _read_commits(archive: Archive) -> dict[str, Committed]:
    """Return what the tables of an archive have committed.

    Raises ArchiveDamaged: of a table that lost anything, what is left is not touched.
    """
    found = {table: read_table(archive, table, ()) for table in archive.tables}
    for read in found.values():
        read.require_whole()
    return {table: read.committed for table, read in found.items() if read.committed}


def _plan_tables(
    archive: Archive, request: CompactRequest, hours: int, progress: Progress
) -> Iterator[TableCompaction]:
    progress.begin("plan", len(archive.tables))
    for table in archive.tables:
        files = table_files(archive, table)
        plan = _plan(table, files, request.large)
        old = remove_old(archive, table, hours, apply=False)
        yield _summary(plan, len(files), old, 0)
        progress.advance(1)


def _compact_tables(
    archive: Archive, request: CompactRequest, hours: int, now: datetime, progress: Progress
) -> Iterator[TableCompaction]:
    progress.begin("compact", len(archive.tables))
    for table in archive.tables:
        files = table_files(archive, table)
        plan = _plan(table, files, request.large)
        by_name = {file.path.name: file for file in files}
        groups = [[by_name[file.name] for file in group] for group in plan.groups]
        written = 0
        if groups:
            after = commit_number(archive, table)
            written = rewrite_files(archive, table, groups, sort_columns(table), after, now)
        old = remove_old(archive, table, hours, apply=True)
        known = archive.commit_of(table)
        version = version_of(archive, table)
        if known and known.version != version:
            archive = record_commits(archive, {table: replace(known, version=version)})
        yield _summary(plan, len(files), old, written)
        progress.advance(1)


def _plan(table: str, files: tuple[ArchivedFile, ...], large: int) -> CompactionPlan:
    oldest_first = sorted(files, key=lambda file: (file.added_ms, file.path.name))
    sized = [SizedFile(file.path.name, file.size, file.rows) for file in oldest_first]
    return plan_compaction(table, sized, large)


def _summary(plan: CompactionPlan, files: int, old: int, written: int) -> TableCompaction:
    after = files - plan.files + len(plan.groups)
    return TableCompaction(plan.table, files, after, plan.bytes, written, old)


def _change_pins(archive: Archive, request: CompactRequest) -> None:
    pins = {name: dict(tables) for name, tables in read_pins(archive).items()}
    if request.unpin:
        pins.pop(request.unpin, None)
    if request.pin:
        pins[request.pin] = {table: version_of(archive, table) for table in archive.tables}
    if request.pin or request.unpin:
        write_pins(archive, pins)


def _report(
    archive: Archive, outcome: str, tables: tuple[TableCompaction, ...], clock: Clock
) -> CompactionReport:
    pins = tuple(sorted(read_pins(archive)))
    return CompactionReport(str(archive.path), outcome, tables, pins, clock.seconds)
