"""Deciding what an archive gains: every row of the database, hashed, against what stands in it."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import polars as pl

from neotoma_core.archive_tables.committed import Committed
from neotoma_core.archive_tables.reading import ReadTable, read_table
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.archive_tables.writing import commit_number
from neotoma_core.comparison.holdings import MADE_ONCE, RANDOM
from neotoma_core.comparison.identity import Shared, is_same_memory
from neotoma_core.erased.reach import reach
from neotoma_core.erasure.plan import read_held
from neotoma_core.errors import ArchiveForeign
from neotoma_core.ledger.file import read_erased_around
from neotoma_core.ledger.log import finding_of_erased
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import BY_NAME, Table, kind_of
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import ARCHIVED, ARCHIVED_AT, REMOVED, ROW_HASH, key_of
from neotoma_core.row_versions.hashed_rows import hash_keys
from neotoma_core.row_versions.known_hashes import KnownHashes
from neotoma_core.row_versions.row_hash import tell_apart
from neotoma_core.row_versions.versions import Appends, plan_appends, standing
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.private_copy import PrivateCopy
from neotoma_core.sqlite.arrow import translate_errors
from neotoma_core.sqlite.opening import check_pages, connect_read_only

_OBSERVATIONS: Final = "observations"


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What one table gains. ``hashes``: (_rowid, _row_hash) of the database's rows."""

    table: Table
    rows: int
    hashes: pl.DataFrame
    appends: Appends
    after: int

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.table.name

    @property
    def appended(self) -> pl.DataFrame:
        """The rows that are appended, new ones and new versions."""
        return self.appends.rows

    @property
    def removed(self) -> pl.DataFrame:
        """The rows of the archive that the database no longer has."""
        return self.appends.removed


@dataclass(frozen=True, slots=True)
class _Standing:
    """What stands in the archive of one table; ``ids`` are all keys it ever had."""

    versions: pl.DataFrame
    ids: pl.Series
    last: datetime | None
    read: ReadTable


@dataclass(frozen=True, slots=True)
class AppendPlan:
    """What an archive gains, by table.

    ``last``: the moment of its last run, if it had one. ``known``: notes that are still to be kept.
    ``committed``: what its tables have committed so far, less those with damaged files;
    ``unknown``: those with commits that no record mentions.
    """

    tables: tuple[TablePlan, ...]
    findings: tuple[Finding, ...]
    last: datetime | None
    known: KnownHashes
    committed: Mapping[str, Committed]
    unknown: frozenset[str]


def plan_append(
    copy: PrivateCopy, archive: Archive, progress: Progress, clock: Clock, *, same_database: bool
) -> AppendPlan:
    """Compare a database with an archive. ``same_database``: whatever they have in common.

    Raises ArchiveForeign, ArchiveError, BackupDamaged, BackupUnreadable; ArchiveDamaged where a
    table lacks what it had committed, since a commit that took the number of a lost one would keep
    that from ever being put back.
    """
    progress.begin("read", len(ARCHIVED))
    known = KnownHashes(archive.path)
    with ThreadPoolExecutor(max_workers=2) as pool:
        standing_there = pool.submit(_all_standing, archive)
        checked = pool.submit(_check_pages, copy)
        hashes = {table.name: _hashes(copy, table, known, progress) for table in ARCHIVED}
        erased = _find_erased(copy, archive)
        there = standing_there.result()
        checked.result()
    clock.lap("read")
    for name, rows in erased.items():
        hashes[name] = hashes[name].filter(~pl.col(ROWID).is_in(rows.implode()))
    if not same_database:
        _require_own(copy, archive, hashes, there)
    plans = tuple(_plan_table(table, hashes, there, archive) for table in ARCHIVED)
    clock.lap("plan")
    moments = [state.last for state in there.values() if state.last]
    findings = [
        *_findings(copy, there),
        *(finding_of_erased(n, len(r)) for n, r in erased.items()),
    ]
    committed = {
        name: state.read.committed for name, state in there.items() if state.read.committed
    }
    unknown = frozenset(
        name for name, state in there.items() if state.read.damaged and not archive.commit_of(name)
    )
    return AppendPlan(plans, tuple(findings), max(moments, default=None), known, committed, unknown)


def _find_erased(copy: PrivateCopy, archive: Archive) -> dict[str, pl.Series]:
    """Return the numbers of rows, by table, of what was erased and the database has again."""
    erased = read_erased_around(copy.vault, archive.path)
    if not erased:
        return {}
    held = read_held(copy.whole, copy.original, None)
    rows = reach(held.tables, erased.find_in(held.tables)).rows
    return {table.name: rows[table.name] for table in ARCHIVED if table.name in rows}


def _check_pages(copy: PrivateCopy) -> None:
    with closing(connect_read_only(copy.whole)) as connection:
        check_pages(connection, copy.original)


def _all_standing(archive: Archive) -> dict[str, _Standing]:
    removed = _read(archive, REMOVED, ("table", ROW_HASH, ARCHIVED_AT))
    found = {REMOVED: _state(removed, pl.Series([], dtype=pl.String))}
    for table in ARCHIVED:
        key = key_of(table.name)
        read = _read(archive, table.name, (key, ROW_HASH, ARCHIVED_AT))
        gone = removed.rows.filter(pl.col("table") == table.name)
        versions = standing(read.rows, gone, key)
        found[table.name] = replace(_state(read, read.rows[key]), versions=versions)
    return found


def _read(archive: Archive, table: str, columns: tuple[str, ...]) -> ReadTable:
    read = read_table(archive, table, columns)
    read.require_committed()
    known = archive.commit_of(table)
    if read.damaged and known and known.version != read.version:
        read.require_whole()  # nobody can say what the commits since held
    return read


def _state(read: ReadTable, ids: pl.Series) -> _Standing:
    last = read.rows[ARCHIVED_AT].max()
    return _Standing(read.rows, ids, last if isinstance(last, datetime) else None, read)


def _hashes(
    copy: PrivateCopy, table: Table, known: KnownHashes, progress: Progress
) -> pl.DataFrame:
    """Return (_rowid, key, _row_hash) of the database's rows, every hash a row's own."""
    progress.advance(1)
    stored = copy.stored.get(table.name)
    if stored is None or stored.barred:
        key = key_of(table.name)
        return pl.DataFrame(schema={ROWID: pl.Int64, key: pl.String, ROW_HASH: pl.String})
    with translate_errors(copy.original, table.name):
        return tell_apart(hash_keys(copy.whole, stored.known, stored.columns, known))


def _require_own(
    copy: PrivateCopy,
    archive: Archive,
    hashes: Mapping[str, pl.DataFrame],
    there: Mapping[str, _Standing],
) -> None:
    """Raise ArchiveForeign where the archive has rows, and nothing says they are of this database.

    Also where that was wiped: to the archive, all that it had would be gone. Where neither has an
    observation, nothing can tell.
    """
    observations = there[_OBSERVATIONS].ids.n_unique()
    others = sum(there[table.name].ids.len() for table in ARCHIVED if table.kind == "log")
    shared = _compare_hashes(hashes, there)
    held = hashes[_OBSERVATIONS].height
    if others and observations + held and not is_same_memory(shared, held, observations):
        raise ArchiveForeign(archive.path, copy.original)


def _compare_hashes(hashes: Mapping[str, pl.DataFrame], there: Mapping[str, _Standing]) -> Shared:
    """Return what a database and an archive have in common.

    A version of a row is as it was made, by its moment too.
    """
    for name in (*RANDOM, *MADE_ONCE):
        by = key_of(name) if name in RANDOM else ROW_HASH
        versions = there[name].ids if name in RANDOM else there[name].versions[ROW_HASH]
        if hashes[name][by].drop_nulls().is_in(versions.drop_nulls().unique().implode()).any():
            return Shared(1, 0)
    key = key_of(_OBSERVATIONS)
    known = there[_OBSERVATIONS].ids.drop_nulls().unique().implode()
    return Shared(0, hashes[_OBSERVATIONS].filter(pl.col(key).is_in(known)).height)


def _plan_table(
    table: Table,
    hashes: Mapping[str, pl.DataFrame],
    there: Mapping[str, _Standing],
    archive: Archive,
) -> TablePlan:
    stored = hashes[table.name]
    appends = plan_appends(stored, there[table.name].versions, key_of(table.name))
    return TablePlan(table, stored.height, stored, appends, commit_number(archive, table.name))


def _findings(copy: PrivateCopy, there: Mapping[str, _Standing]) -> Iterator[Finding]:
    for name, stored in copy.stored.items():
        if kind_of(name) is None:
            detail = f"{stored.rows:,} rows of a table that Neotoma does not know"
            yield Finding("not-archived", name, detail)
        elif stored.barred and name in BY_NAME and BY_NAME[name] in ARCHIVED:
            yield Finding("not-archived", name, stored.barred)
    for table, state in there.items():
        for file in state.read.damaged:
            detail = f"{file.reason}; what it held of the database is appended again"
            yield Finding("archive-damaged", f"{table}/{file.path.name}", detail)
