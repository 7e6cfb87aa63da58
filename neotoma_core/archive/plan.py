"""Deciding what an archive gains: every row of the database, hashed, against what stands in it."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from neotoma_core.archive.comparing import Comparing, Standing
from neotoma_core.archive.held_rows import HeldRows
from neotoma_core.archive_tables.committed import Committed
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.archive_tables.writing import commit_number
from neotoma_core.comparison.holdings import MADE_ONCE, RANDOM
from neotoma_core.comparison.identity import Shared, is_same_memory
from neotoma_core.erased.naming import read_all
from neotoma_core.erased.narrowing import reach_in
from neotoma_core.erasure.held.copy import read_held
from neotoma_core.errors import ArchiveForeign
from neotoma_core.ledger.file import read_erased_around
from neotoma_core.ledger.log import finding_of_erased
from neotoma_core.neotoma.tables import BY_NAME, Table, kind_of
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import ARCHIVED, ROW_HASH, key_of
from neotoma_core.row_versions.known_rows import KnownRows
from neotoma_core.row_versions.versions import Appends, plan_appends
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.private_copy import PrivateCopy
from neotoma_core.sqlite.opening import check_pages, connect_read_only

_OBSERVATIONS: Final = "observations"


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What one table gains. ``rows``: how many the database has.

    ``hashes``: (_rowid, key, _row_hash) of those that are compared, appended ones among them.
    """

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
class AppendPlan:
    """What an archive gains, by table.

    ``last``: the moment of its last run, if it had one. ``known``: notes that are still to be kept.
    ``committed``: what its tables have committed so far, less those with damaged files;
    ``unknown``: those with commits that no record mentions. ``whole``: those that the
    archive has, after this run, exactly as the database has them.
    """

    tables: tuple[TablePlan, ...]
    findings: tuple[Finding, ...]
    last: datetime | None
    known: KnownRows
    committed: Mapping[str, Committed]
    unknown: frozenset[str]
    whole: frozenset[str]


def plan_append(
    copy: PrivateCopy, archive: Archive, progress: Progress, clock: Clock, *, same_database: bool
) -> AppendPlan:
    """Compare a database with an archive. ``same_database``: whatever they have in common.

    Raises ArchiveForeign, ArchiveError, BackupDamaged, BackupUnreadable; ArchiveDamaged where a
    table lacks what it had committed, since a commit that took the number of a lost one would keep
    that from ever being put back.
    """
    progress.begin("read", len(ARCHIVED))
    comparing = Comparing(copy, archive, KnownRows(archive.path), _find_erased(copy, archive))
    with ThreadPoolExecutor(max_workers=2) as pool:
        standing_there = pool.submit(comparing.read_archive)
        checked = pool.submit(_check_pages, copy)
        for table in ARCHIVED:
            progress.advance(1)
            comparing.read_rows(table)
        standing_there.result()
        checked.result()
    comparing.complete()
    clock.lap("read")
    if not (same_database or comparing.is_evidently_own):
        comparing.read_whole()
        _require_own(copy, archive, comparing.held, comparing.there)
    plans = tuple(_plan_table(table, comparing, archive) for table in ARCHIVED)
    clock.lap("plan")
    there = comparing.there
    moments = [state.last for state in there.values() if state.last]
    erased = [finding_of_erased(name, len(rows)) for name, rows in comparing.erased.items()]
    committed = {
        name: state.read.committed for name, state in there.items() if state.read.committed
    }
    unknown = frozenset(
        name for name, state in there.items() if state.read.damaged and not archive.commit_of(name)
    )
    findings = (*_findings(copy, there), *erased)
    last = max(moments, default=None)
    return AppendPlan(plans, findings, last, comparing.known, committed, unknown, comparing.whole)


def _find_erased(copy: PrivateCopy, archive: Archive) -> dict[str, pl.Series]:
    """Return the numbers of rows, by table, of what was erased and the database has again."""
    erased = read_erased_around(copy.vault, archive.path)
    if not erased:
        return {}
    held = read_held(copy.whole, copy.original, None)
    rows = reach_in(held.tables, erased.find_in(read_all(held.tables))).rows
    return {table.name: rows[table.name] for table in ARCHIVED if table.name in rows}


def _check_pages(copy: PrivateCopy) -> None:
    with closing(connect_read_only(copy.whole)) as connection:
        check_pages(connection, copy.original)


def _require_own(
    copy: PrivateCopy,
    archive: Archive,
    rows: Mapping[str, HeldRows],
    there: Mapping[str, Standing],
) -> None:
    """Raise ArchiveForeign where the archive has rows, and nothing says they are of this database.

    Also where that was wiped: to the archive, all that it had would be gone. Where neither has an
    observation, nothing can tell.
    """
    hashes = {name: held.hashes for name, held in rows.items()}
    observations = there[_OBSERVATIONS].ids.n_unique()
    others = sum(there[table.name].ids.len() for table in ARCHIVED if table.kind == "log")
    shared = _compare_hashes(hashes, there)
    held = hashes[_OBSERVATIONS].height
    if others and observations + held and not is_same_memory(shared, held, observations):
        raise ArchiveForeign(archive.path, copy.original)


def _compare_hashes(hashes: Mapping[str, pl.DataFrame], there: Mapping[str, Standing]) -> Shared:
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


def _plan_table(table: Table, comparing: Comparing, archive: Archive) -> TablePlan:
    held, there = comparing.held[table.name], comparing.there[table.name]
    versions = there.versions if held.gone is None else held.gone
    appends = plan_appends(held.hashes, versions, key_of(table.name))
    return TablePlan(table, held.rows, held.hashes, appends, commit_number(archive, table.name))


def _findings(copy: PrivateCopy, there: Mapping[str, Standing]) -> Iterator[Finding]:
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
