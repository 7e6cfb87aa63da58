"""Appending what is new in a database to its archive.

copy → read and hash every row → compare with the archive → append, one commit per table

What is new is found in the archive itself, never in a note of what was done: a run that was killed
is completed by the next one, and nothing is appended twice.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive.columns import (
    ARCHIVED,
    ARCHIVED_AT,
    BACKUP,
    REMOVED,
    ROW_HASH,
    archive_schema,
    key_of,
)
from neotoma_core.archive.row_hash import told_apart
from neotoma_core.archive.versions import Appends, next_moment, plan_appends, standing
from neotoma_core.errors import ArchiveBusy, ArchiveForeign
from neotoma_core.frames import ROWID
from neotoma_core.ops.clock import Clock
from neotoma_core.ops.planning import iso
from neotoma_core.ops.private_copy import PATIENCE_SECONDS, PrivateCopy
from neotoma_core.ops.progress import Progress
from neotoma_core.report.archive import ArchiveReport, TableArchived
from neotoma_core.report.findings import Finding
from neotoma_core.store.archive import Archive, create_archive, describe, locked, open_archive
from neotoma_core.store.archive_reading import DamagedFile, read_table
from neotoma_core.store.archive_writing import append, commit_number
from neotoma_core.store.arrow_sqlite import readable
from neotoma_core.store.databases import check_pages, connect_read_only
from neotoma_core.store.hashed_rows import hashed_keys, hashed_rows
from neotoma_core.tables import BY_NAME, Table, kind_of

_IDENTITY: Final = ("observations", "sources")
_TRIES: Final = 5
_REMEMBERED: Final = 32


@dataclass(frozen=True, slots=True)
class ArchiveRequest:
    """Where to append to; ``same_database``: although nothing in it is known to the archive."""

    to: Path
    same_database: bool = False


@dataclass(frozen=True, slots=True)
class _TablePlan:
    """What one table gains. ``hashes``: (_rowid, _row_hash) of the database's rows."""

    table: Table
    rows: int
    hashes: pl.DataFrame
    appends: Appends
    after: int


@dataclass(frozen=True, slots=True)
class _Standing:
    """What stands in the archive of one table; ``ids`` are all keys it ever had."""

    versions: pl.DataFrame
    ids: pl.Series
    last: datetime | None
    damaged: tuple[DamagedFile, ...]


def default_archive(vault_folder: Path) -> Path:
    """Return where the archive of a vault is."""
    return vault_folder / "archive"


def plan_archive(copy: PrivateCopy, request: ArchiveRequest, progress: Progress) -> ArchiveReport:
    """Report what an append would add; nothing is written.

    Raises ArchiveError, BackupDamaged, BackupUnreadable.
    """
    clock = Clock()
    there = open_archive(request.to) if (request.to / "archive.json").exists() else None
    archive = there or Archive(request.to)
    plans, findings, _ = _plan(copy, archive, request, progress, clock)
    return _report(copy, archive, plans, findings, clock)


def append_database(
    copy: PrivateCopy, request: ArchiveRequest, progress: Progress
) -> ArchiveReport:
    """Append what is new; waits for another run that is writing to the archive.

    Raises ArchiveError, DiskFull, BackupDamaged, BackupUnreadable. What was appended before an
    error stays; the next run adds the rest.
    """
    clock = Clock()
    archive = create_archive(request.to)
    with locked(request.to, PATIENCE_SECONDS):
        for _ in range(_TRIES - 1):
            try:
                return _append(copy, archive, request, progress, clock)
            except ArchiveBusy:  # a writer that knows no lock of ours: decide anew
                continue
        return _append(copy, archive, request, progress, clock)


def _append(
    copy: PrivateCopy,
    archive: Archive,
    request: ArchiveRequest,
    progress: Progress,
    clock: Clock,
) -> ArchiveReport:
    plans, findings, last = _plan(copy, archive, request, progress, clock)
    moment = next_moment(copy.run.started, last)
    origin = f"{copy.original.name} {copy.run.folders.name}"
    progress.begin("archive", len(plans))
    _remember(archive, plans)
    for plan in plans:
        if plan.appends.rows.height:
            parts = _stamped(copy, plan, moment, origin)
            append(archive, plan.table.name, parts, plan.after)
        progress.advance(1)
    removed = [_removed(plan, moment, origin) for plan in plans if plan.appends.removed.height]
    if removed:
        append(archive, REMOVED, removed, commit_number(archive, REMOVED))
    clock.lap("append")
    report = _report(copy, archive, plans, findings, clock)
    if not report.appended and not report.gone:
        return replace(report, outcome="unchanged")
    return replace(report, outcome="archived", archived_at=iso(moment))


def _remember(archive: Archive, plans: tuple[_TablePlan, ...]) -> None:
    """Write down some observations, by which the database is known again at a glance."""
    name = _IDENTITY[0]
    (ids,) = (plan.hashes[key_of(name)].drop_nulls() for plan in plans if plan.table.name == name)
    if not ids.is_in(list(archive.ids)).any():
        describe(archive, ids.bottom_k(_REMEMBERED).to_list())


def _plan(
    copy: PrivateCopy,
    archive: Archive,
    request: ArchiveRequest,
    progress: Progress,
    clock: Clock,
) -> tuple[tuple[_TablePlan, ...], tuple[Finding, ...], datetime | None]:
    progress.begin("read", len(ARCHIVED))
    with ThreadPoolExecutor(max_workers=1) as pool:
        checked = pool.submit(_check_pages, copy)
        there = _all_standing(archive)
        clock.lap("archive")
        hashes = {table.name: _hashes(copy, table, progress) for table in ARCHIVED}
        checked.result()
    clock.lap("read")
    if not request.same_database:
        _require_same(copy, archive, hashes, there)
    plans = tuple(_plan_table(table, hashes, there, archive) for table in ARCHIVED)
    clock.lap("plan")
    moments = [state.last for state in there.values() if state.last]
    return plans, tuple(_findings(copy, there)), max(moments, default=None)


def _check_pages(copy: PrivateCopy) -> None:
    with closing(connect_read_only(copy.whole)) as connection:
        check_pages(connection, copy.original)


def _all_standing(archive: Archive) -> dict[str, _Standing]:
    removed = read_table(archive, REMOVED, ("table", ROW_HASH, ARCHIVED_AT))
    found = {REMOVED: _state(removed.rows, pl.Series([], dtype=pl.String), removed.damaged)}
    for table in ARCHIVED:
        key = key_of(table.name)
        read = read_table(archive, table.name, (ROWID, key, ROW_HASH, ARCHIVED_AT))
        gone = removed.rows.filter(pl.col("table") == table.name)
        versions = standing(read.rows, gone, key)
        state = _state(read.rows, read.rows[key], read.damaged)
        found[table.name] = replace(state, versions=versions)
    return found


def _state(rows: pl.DataFrame, ids: pl.Series, damaged: tuple[DamagedFile, ...]) -> _Standing:
    last = rows[ARCHIVED_AT].max()
    return _Standing(rows, ids, last if isinstance(last, datetime) else None, damaged)


def _hashes(copy: PrivateCopy, table: Table, progress: Progress) -> pl.DataFrame:
    """Return (_rowid, key, _row_hash) of the database's rows, every hash a row's own."""
    progress.advance(1)
    stored = copy.stored.get(table.name)
    if stored is None or stored.barred:
        key = key_of(table.name)
        return pl.DataFrame(schema={ROWID: pl.Int64, key: pl.String, ROW_HASH: pl.String})
    with readable(copy.original, table.name):
        return told_apart(hashed_keys(copy.whole, stored.known, stored.columns))


def _require_same(
    copy: PrivateCopy,
    archive: Archive,
    hashes: Mapping[str, pl.DataFrame],
    there: Mapping[str, _Standing],
) -> None:
    """Raise ArchiveForeign where the archive has observations, and none of this database's."""
    observed = hashes[_IDENTITY[0]][key_of(_IDENTITY[0])]
    if observed.is_in(list(archive.ids)).any() or not any(len(there[n].ids) for n in _IDENTITY):
        return
    for name in _IDENTITY:
        known = there[name].ids.drop_nulls()
        if hashes[name][key_of(name)].is_in(known.unique().implode()).any():
            return
    raise ArchiveForeign(archive.path, copy.original)


def _plan_table(
    table: Table,
    hashes: Mapping[str, pl.DataFrame],
    there: Mapping[str, _Standing],
    archive: Archive,
) -> _TablePlan:
    stored = hashes[table.name]
    appends = plan_appends(stored, there[table.name].versions, key_of(table.name))
    return _TablePlan(table, stored.height, stored, appends, commit_number(archive, table.name))


def _stamped(
    copy: PrivateCopy, plan: _TablePlan, moment: datetime, origin: str
) -> Iterator[pl.DataFrame]:
    """Yield the new versions of one table, as the archive has them."""
    stored = copy.stored[plan.table.name]
    own = pl.lit(moment).cast(archive_schema(plan.table)[ARCHIVED_AT])
    hashes = plan.hashes.select(ROWID, ROW_HASH)
    with readable(copy.original, plan.table.name):
        for part in hashed_rows(copy.whole, stored.known, stored.columns, plan.appends.rows[ROWID]):
            told = part.drop(ROW_HASH).join(hashes, on=ROWID, how="left", maintain_order="left")
            yield told.with_columns(own.alias(ARCHIVED_AT), pl.lit(origin).alias(BACKUP))


def _removed(plan: _TablePlan, moment: datetime, origin: str) -> pl.DataFrame:
    own = pl.lit(moment).cast(archive_schema(plan.table)[ARCHIVED_AT])
    return plan.appends.removed.select(
        pl.lit(plan.table.name).alias("table"),
        "key",
        ROW_HASH,
        own.alias(ARCHIVED_AT),
        pl.lit(origin).alias(BACKUP),
    )


def _findings(copy: PrivateCopy, there: Mapping[str, _Standing]) -> Iterator[Finding]:
    for name, stored in copy.stored.items():
        if kind_of(name) is None:
            detail = f"{stored.rows:,} rows of a table that Neotoma does not know"
            yield Finding("not-archived", name, detail)
        elif stored.barred and name in BY_NAME and BY_NAME[name] in ARCHIVED:
            yield Finding("not-archived", name, stored.barred)
    for table, state in there.items():
        for file in state.damaged:
            detail = f"{file.reason}; what it held of the database is appended again"
            yield Finding("archive-damaged", f"{table}/{file.path.name}", detail)


def _report(
    copy: PrivateCopy,
    archive: Archive,
    plans: tuple[_TablePlan, ...],
    findings: tuple[Finding, ...],
    clock: Clock,
) -> ArchiveReport:
    tables = tuple(
        TableArchived(
            plan.table.name,
            plan.rows,
            plan.appends.rows.height,
            plan.appends.changed,
            plan.appends.removed.height,
        )
        for plan in plans
    )
    return ArchiveReport(
        run=copy.run.folders.name,
        outcome="planned",
        target=str(copy.original),
        archive=str(archive.path),
        archived_at=None,
        archived=tables,
        appended=sum(table.appended for table in tables),
        gone=sum(table.gone for table in tables),
        findings=findings,
        seconds=clock.seconds,
    )
