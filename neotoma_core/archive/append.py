"""Appending what is new in a database to its archive.

copy → read and hash every row → compare with the archive → append, one commit per table, each
recorded → remove what runs that were killed left

What is new is found in the archive itself, never in a note of what was done: a run that was killed
is completed by the next one, and nothing is appended twice.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive.held_rows import state_of
from neotoma_core.archive.page import archive_page
from neotoma_core.archive.plan import AppendPlan, TablePlan, plan_append
from neotoma_core.archive.report import ArchiveReport, TableArchived
from neotoma_core.archive_tables.committed import links_of
from neotoma_core.archive_tables.tables import (
    ARCHIVE_FOLDER,
    Archive,
    create_archive,
    describe,
    lock_archive,
    make_folder,
    open_archive,
    record_commits,
    record_found,
)
from neotoma_core.archive_tables.unnamed import remove_leftovers
from neotoma_core.archive_tables.writing import add_committed, append, commit_number
from neotoma_core.errors import ArchiveBusy, done_besides
from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.json import stringify
from neotoma_core.neotoma.times import iso
from neotoma_core.neotoma.versions import newest_of, release_of
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import (
    ARCHIVED_AT,
    BACKUP,
    REMOVED,
    ROW_HASH,
    archive_schema,
    key_of,
)
from neotoma_core.row_versions.hashed_rows import hash_rows
from neotoma_core.row_versions.versions import next_moment
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.private_copy import PrivateCopy
from neotoma_core.sqlite.arrow import translate_errors
from neotoma_core.sqlite.inspection import names_of
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.vault.folder import remember_place
from neotoma_core.vault.last_report import keep_last
from neotoma_core.vault.lease import PATIENCE_SECONDS

_TRIES: Final = 5
_OBSERVATIONS: Final = "observations"
_REMEMBERED: Final = 32


@dataclass(frozen=True, slots=True)
class ArchiveRequest:
    """Where to append to; ``same_database``: although nothing in it is known to the archive.

    ``to``: a folder; its name in reports is ``called``, if that is given.
    """

    to: Path
    same_database: bool = False
    called: str = ""


def default_archive(vault_folder: Path) -> Path:
    """Return where the archive of a vault is."""
    return vault_folder / ARCHIVE_FOLDER


def plan_archive(copy: PrivateCopy, request: ArchiveRequest, progress: Progress) -> ArchiveReport:
    """Report what an append would add; nothing is written.

    Raises ArchiveError, BackupDamaged, BackupUnreadable.
    """
    clock = Clock()
    there = open_archive(request.to) if (request.to / "archive.json").exists() else None
    archive = there or Archive(request.to)
    plan = plan_append(copy, archive, progress, clock, same_database=request.same_database)
    return _report(copy, request.called or str(archive.path), plan, clock)


def append_database(
    copy: PrivateCopy, request: ArchiveRequest, progress: Progress
) -> ArchiveReport:
    """Append what is new, and keep the report as the last of its kind; see ``append_rows``."""
    return keep_report(copy, append_rows(copy, request, progress))


def append_rows(copy: PrivateCopy, request: ArchiveRequest, progress: Progress) -> ArchiveReport:
    """Append what is new; waits for another run that is writing to the archive.

    Raises ArchiveError, DiskFull, BackupDamaged, BackupUnreadable. What was appended before an
    error stays; the next run adds the rest.
    """
    clock = Clock()
    make_folder(request.to)
    with lock_archive(request.to, PATIENCE_SECONDS):
        archive = create_archive(request.to)
        remember_place(copy.vault, request.to)
        for _ in range(_TRIES - 1):
            try:
                report = _append(copy, archive, request, progress, clock)
                break
            except ArchiveBusy:  # a writer that does not take our lock: decide again
                continue
        else:
            report = _append(copy, archive, request, progress, clock)
        staying = remove_leftovers(open_archive(request.to), archive.record)
    return replace(report, findings=(*report.findings, *map(_staying, staying)))


def keep_report(copy: PrivateCopy, report: ArchiveReport) -> ArchiveReport:
    """Keep the report as the last of its kind, with its page."""
    made = keep_last(copy.vault, "archive", report, lambda: archive_page(report))
    return replace(report, page=made)


def _staying(path: Path) -> Finding:
    detail = (
        "no commit names this file; it stays, since no run of midden wrote it or its rows are "
        "nowhere else in the archive"
    )
    return Finding("archive-unnamed", str(path), detail)


def _append(
    copy: PrivateCopy,
    archive: Archive,
    request: ArchiveRequest,
    progress: Progress,
    clock: Clock,
) -> ArchiveReport:
    plan = plan_append(copy, archive, progress, clock, same_database=request.same_database)
    plans = plan.tables
    moment = next_moment(copy.run.started, plan.last)
    origin = f"{copy.original.name} {copy.run_name}"
    progress.begin("archive", len(plans))
    archive = record_found(archive, plan.committed)
    archive = _record_signs(copy, archive, release_of(names_of(copy.stored.values())))
    for table in plans:
        if table.appended.height:
            name = table.name
            append(archive, name, _stamp(copy, table, moment, origin), table.after)
            archive = _record_commits(archive, plan, name, _new_rows(table, moment))
        progress.advance(1)
    removed = [_mark_removed(t, moment, origin) for t in plans if t.removed.height]
    if removed:
        append(archive, REMOVED, removed, commit_number(archive, REMOVED))
        archive = _record_commits(archive, plan, REMOVED, pl.concat(removed))
    plan.known.keep({name: state_of(archive, name) for name in plan.whole})
    clock.lap("append")
    report = _report(copy, request.called or str(archive.path), plan, clock)
    if not report.appended and not report.gone:
        return replace(report, outcome="unchanged")
    return replace(report, outcome="archived", archived_at=iso(moment))


def _record_commits(archive: Archive, plan: AppendPlan, table: str, rows: pl.DataFrame) -> Archive:
    """Record what a table committed with new rows, unless nobody knows what it had before."""
    done_besides("the rows that were appended to the archive")
    if table in plan.unknown:
        return archive
    return record_commits(archive, {table: add_committed(archive, table, links_of(rows))})


def _new_rows(plan: TablePlan, moment: datetime) -> pl.DataFrame:
    own = pl.lit(moment).cast(archive_schema(plan.table)[ARCHIVED_AT]).alias(ARCHIVED_AT)
    return plan.appended.join(plan.hashes, on=ROWID).select(ROW_HASH, own)


def _record_signs(copy: PrivateCopy, archive: Archive, release: str) -> Archive:
    """Write down some observations, by which the database is known again, and its release."""
    stored = copy.stored.get(_OBSERVATIONS)
    key = quote(key_of(_OBSERVATIONS))
    known, ids = False, tuple[str, ...]()
    if stored is not None and not stored.barred:
        with closing(connect_read_only(copy.whole)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            begin = f"SELECT {key} FROM {_OBSERVATIONS} WHERE "
            among = f"{begin}{key} IN (SELECT value FROM json_each(?)) LIMIT 1"
            known = connection.execute(among, [stringify([*archive.ids])]).fetchone() is not None
            first = f"{begin}typeof({key}) = 'text' ORDER BY {key} LIMIT {_REMEMBERED}"
            ids = archive.ids if known else tuple(row[0] for row in connection.execute(first))
    newest = newest_of(archive.release, release)
    if known and newest == archive.release:
        return archive
    told = replace(archive, release=newest)
    describe(told, ids)
    return told


def _stamp(
    copy: PrivateCopy, plan: TablePlan, moment: datetime, origin: str
) -> Iterator[pl.DataFrame]:
    """Yield the new versions of one table, as the archive has them."""
    stored = copy.stored[plan.name]
    own = pl.lit(moment).cast(archive_schema(plan.table)[ARCHIVED_AT])
    hashes = plan.hashes.select(ROWID, ROW_HASH)
    with translate_errors(copy.original, plan.name):
        for part in hash_rows(copy.whole, stored.known, stored.columns, plan.appended[ROWID]):
            told = part.drop(ROW_HASH).join(hashes, on=ROWID, how="left", maintain_order="left")
            yield told.with_columns(own.alias(ARCHIVED_AT), pl.lit(origin).alias(BACKUP))


def _mark_removed(plan: TablePlan, moment: datetime, origin: str) -> pl.DataFrame:
    own = pl.lit(moment).cast(archive_schema(plan.table)[ARCHIVED_AT])
    return plan.removed.select(
        pl.lit(plan.name).alias("table"),
        "key",
        ROW_HASH,
        own.alias(ARCHIVED_AT),
        pl.lit(origin).alias(BACKUP),
    )


def _report(copy: PrivateCopy, archive: str, plan: AppendPlan, clock: Clock) -> ArchiveReport:
    tables = tuple(
        TableArchived(
            planned.name,
            planned.rows,
            planned.appended.height,
            planned.appends.changed,
            planned.removed.height,
        )
        for planned in plan.tables
    )
    return ArchiveReport(
        run=copy.run_name,
        outcome="planned",
        target=str(copy.original),
        archive=archive,
        archived_at=None,
        archived=tables,
        appended=sum(table.appended for table in tables),
        gone=sum(table.gone for table in tables),
        findings=plan.findings,
        seconds=clock.seconds,
    )
