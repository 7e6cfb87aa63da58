"""A log of a remote against the local database: rows that only one of them has, and snapshots.

The database that the log describes is built in scratch; it is given the local database's stored
snapshots, and recomputing them from its log tells how many are not what that log says.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.neotoma.ddl import quote
from neotoma_core.rebuild.scratch import compute_snapshots
from neotoma_core.remotes.log import Log
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import ARCHIVED, ARCHIVED_AT, ROW_HASH
from neotoma_core.row_versions.hashed_rows import hash_keys
from neotoma_core.row_versions.row_hash import tell_apart
from neotoma_core.runs.private_copy import PrivateCopy
from neotoma_core.sqlite.inspection import StoredTable, list_tables
from neotoma_core.sqlite.opening import connect_read_only

_SNAPSHOTS: Final = ("entity_snapshots", "relationship_snapshots")
_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class TableCompared:
    """Rows of one table: those in both, and those that only one has.

    ``lost``: of those that only the local database has, the ones that were pushed.
    """

    table: str
    both: int
    only_local: int
    only_remote: int
    lost: int


@dataclass(frozen=True, slots=True)
class SnapshotsCompared:
    """Stored snapshots of the local database, and how many differ from what the log says."""

    stored: int
    differing: int


def compare_rows(
    built: Path, log: Log, archive: Archive | None, copy: PrivateCopy
) -> Iterator[TableCompared]:
    """Yield what differs between the database that a log describes and the local one, by table.

    ``archive``: the vault's, which knows what was pushed.
    """
    theirs = _tables(built)
    for table in ARCHIVED:
        name = table.name
        ours, others = _hashes(copy.whole, copy.stored, name), _hashes(built, theirs, name)
        only_local = ours.join(others, on=ROW_HASH, how="anti")
        only_remote = others.join(ours, on=ROW_HASH, how="anti")
        lost = only_local.join(_find_pushed(archive, log, name), on=ROW_HASH, how="semi")
        if ours.height or others.height:
            both = ours.height - only_local.height
            yield TableCompared(name, both, only_local.height, only_remote.height, lost.height)


def compare_snapshots(built: Path, copy: PrivateCopy, progress: Progress) -> SnapshotsCompared:
    """Compare what the log of a built database says with the local database's snapshots.

    They are written into the built database. Raises KeyMissing, KeyWrong.
    """
    tables = _tables(built)
    stored = sum(
        _copy_rows(copy, built, name)
        for name in _SNAPSHOTS
        if name in copy.stored and name in tables
    )
    report = compute_snapshots(built, copy.run, progress)
    return SnapshotsCompared(stored, report.drifts)


def differences(compared: TableCompared) -> Iterator[Finding]:
    """Yield what there is to say of a table."""
    table = f"{compared.table}"
    if compared.lost:
        detail = f"{compared.lost:,} rows that were pushed are not in the log of the remote"
        yield Finding("log-incomplete", table, detail)
    if new := compared.only_local - compared.lost:
        yield Finding("not-pushed", table, f"{new:,} rows are new, or changed since the last push")
    if compared.only_remote:
        detail = (
            f"{compared.only_remote:,} rows are on the remote only: changed, removed or erased "
            "since the last push"
        )
        yield Finding("remote-only", table, detail)


def snapshot_differences(compared: SnapshotsCompared, *, same_rows: bool) -> Iterator[Finding]:
    """Yield that snapshots differ, and why that may be."""
    if not compared.differing:
        return
    why = (
        "the rows are the same, so the local snapshots are not what the log says: "
        "midden rebuild --check"
        if same_rows
        else "rows they are computed from are not pushed yet, or are gone from the database"
    )
    detail = f"{compared.differing:,} of {compared.stored:,} are not what the log says; {why}"
    yield Finding("snapshots-differ", "snapshots", detail)


def _tables(database: Path) -> dict[str, StoredTable]:
    with closing(connect_read_only(database)) as connection:
        return {table.name: table for table in list_tables(connection, database)}


def _hashes(database: Path, tables: Mapping[str, StoredTable], name: str) -> pl.DataFrame:
    if name not in tables:
        return pl.DataFrame(schema={ROW_HASH: pl.String})
    stored = tables[name]
    return tell_apart(hash_keys(database, stored.known, stored.columns)).select(ROW_HASH)


def _find_pushed(archive: Archive | None, log: Log, table: str) -> pl.DataFrame:
    """Return the hashes of the versions that were last archived when a log had them already."""
    said = log.tables.get(table)
    if archive is None or said is None:
        return pl.DataFrame(schema={ROW_HASH: pl.String})
    rows = read_table(archive, table, (ROW_HASH, ARCHIVED_AT)).rows
    last = rows.group_by(ROW_HASH).agg(pl.col(ARCHIVED_AT).max())
    return last.filter(pl.col(ARCHIVED_AT).dt.epoch("us") <= said.until).select(ROW_HASH)


def _copy_rows(copy: PrivateCopy, built: Path, name: str) -> int:
    """Copy the rows of a table of the local database into the built one; return how many."""
    theirs = _tables(built)[name].columns
    columns = [column for column in copy.stored[name].columns if column in theirs]
    listed = ", ".join(map(quote, columns))
    marks = ", ".join("?" * len(columns))
    copied = 0
    with (
        closing(connect_read_only(copy.whole)) as ours,
        closing(sqlite3.connect(built, isolation_level=None)) as scratch,
    ):
        scratch.execute("BEGIN")
        rows = ours.execute(f"SELECT {listed} FROM {quote(name)}")
        while some := rows.fetchmany(_AT_ONCE):
            statement = f"INSERT OR REPLACE INTO {quote(name)} ({listed}) VALUES ({marks})"
            scratch.executemany(statement, some)
            copied += len(some)
        scratch.execute("COMMIT")
    return copied
