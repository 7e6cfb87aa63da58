"""Extracting one copied database: its rows into Arrow files, its broken rows into quarantine."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.errors import BackupDamaged, KeyMissing
from neotoma_core.files.frames import file_name, read_frame, write_frame
from neotoma_core.files.keys import read_key
from neotoma_core.lineage.offers import Offered
from neotoma_core.neotoma.contracts import validate
from neotoma_core.neotoma.encryption.columns import find_sealed_rows
from neotoma_core.neotoma.frames import (
    ROWID,
    TARGET,
    empty_rows,
    frame_name,
    frame_table,
    no_broken,
)
from neotoma_core.neotoma.tables import BY_NAME, Table, kind_of
from neotoma_core.publication.staging import RowSource, StoredRowSet
from neotoma_core.runs.evidence import DatabaseEvidence
from neotoma_core.runs.quarantine import quarantine
from neotoma_core.runs.run import DatabaseRef, Run
from neotoma_core.sources.wanted import Wanted
from neotoma_core.sqlite.arrow import translate_errors
from neotoma_core.sqlite.inspection import (
    Inspection,
    StoredObject,
    StoredTable,
    inspect_database,
    require_writable,
)
from neotoma_core.sqlite.opening import check_pages, connect_read_only, make_whole
from neotoma_core.sqlite.rows import read_rows, span_beside

# Derived tables are not merged; what the target has of them is compared with what is recomputed.
_COMPARED = ("entity_snapshots", "relationship_snapshots")

Span = tuple[str | None, str | None]
NEVER: Final[Span] = (None, None)


@dataclass(frozen=True, slots=True)
class TableExtract:
    """One table: its columns and rows as stored, the rows set aside, the file with the others.

    ``columns`` are called as frames call them. ``sealed`` counts the rows in the file with an
    encrypted value; there they stay encrypted. ``reason``: why the table is not merged, if so.
    ``renamed``: columns that other databases spell otherwise, and how. ``unread``: rows that need
    not be read: the target has those of a backup alike, and no backup touches those of the target.
    ``span``, ``unread_span``: the first and the last ``observed_at`` of the rows that were read,
    and of the others; as texts, in which Neotoma's own times sort.
    """

    stored: StoredTable
    columns: frozenset[str]
    broken: int
    frame: Path | None
    sealed: int = 0
    reason: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    unread: int = 0
    span: Span = NEVER
    unread_span: Span = NEVER

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.stored.name

    @property
    def read(self) -> int:
        """How many rows the table has."""
        return self.stored.rows


@dataclass(frozen=True, slots=True)
class Extract:
    """One database, extracted. Small: the rows are in the files it names.

    ``others``: what in it is neither run nor copied. ``names``: of all in it, ``folded``.
    """

    database: DatabaseRef
    whole: Path
    tables: dict[str, TableExtract]
    others: tuple[StoredObject, ...] = ()
    names: frozenset[str] = frozenset()

    def offer(self, table: Table) -> Offered:
        """Return the rows of a merged table, empty where the database lacks the table."""
        extract = self.tables.get(table.name)
        if extract is None:
            return Offered(empty_rows(table), frozenset(table.names))
        alike = 0 if self.database.number == TARGET else extract.unread
        if extract.frame is None:
            return Offered(empty_rows(table), frozenset(table.names), alike=alike)
        set_aside = 0 if self.database.number == TARGET else extract.broken
        rows = read_frame(extract.frame).rename(extract.renamed)
        columns = frozenset(extract.renamed.get(name, name) for name in extract.columns)
        return Offered(rows, columns, set_aside, alike=alike)

    def rows(self, table: str) -> pl.DataFrame:
        """Return the rows of one extracted table."""
        return self.offer(BY_NAME[table]).rows

    @property
    def span(self) -> Span:
        """The first and last time of its observations."""
        observations = self.tables.get("observations")
        return widest(observations.span, observations.unread_span) if observations else NEVER

    @property
    def is_narrowed(self) -> bool:
        """Whether some of its rows were not read."""
        return any(table.unread for table in self.tables.values())

    @property
    def sealed(self) -> bool:
        """Whether any row that was read has an encrypted value."""
        return any(table.sealed for table in self.tables.values())

    def count_sealed(self, table: Table) -> int:
        """Return how many of the rows read from one table have an encrypted value."""
        return self.tables[table.name].sealed if table.name in self.tables else 0

    @property
    def source(self) -> RowSource:
        """The whole copy, as a place to take rows from."""
        return RowSource(
            self.whole,
            {
                name: StoredRowSet(
                    frozenset(t.renamed.get(column, column) for column in t.columns),
                    t.stored.facts.rowid,
                )
                for name, t in self.tables.items()
            },
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """One secured database: made whole and looked into. No row is read yet."""

    database: DatabaseRef
    whole: Path
    inspection: Inspection

    def table(self, name: str) -> StoredTable | None:
        """Return what the database has under the name of a table."""
        return next((t for t in self.inspection.tables if t.name == name), None)


def open_database(run: Run, evidence: DatabaseEvidence) -> Opened:
    """Make a copied database whole and look into it; its pages are proven by ``prove_pages``.

    Raises BackupUnreadable, BackupDamaged, NotNeotoma, TargetError.
    """
    database = evidence.database
    scratch = run.folders.work / database.label
    scratch.mkdir(parents=True, exist_ok=True)
    whole = make_whole(evidence.copy, database.named, scratch)
    try:
        with closing(connect_read_only(whole)) as connection:
            found = inspect_database(connection, database.named)
    except BackupDamaged:
        prove_pages(whole, database)  # which names the pages
        raise
    if database.number == TARGET:
        require_writable(found, database.named)
    return Opened(database, whole, found)


def prove_pages(whole: Path, database: DatabaseRef) -> None:
    """Prove every page of a database that is to be read; raises BackupDamaged."""
    with closing(connect_read_only(whole)) as connection:
        check_pages(connection, database.named)


def read_tables(
    run: Run, wanted: Wanted, opened: Opened, picked: Mapping[str, pl.Series]
) -> Extract:
    """Read every table once; ``picked``: by table, the only rows of it to read (``_rowid``).

    Raises BackupUnreadable, KeyMissing, UsageError.
    """
    found = opened.inspection
    merged = frozenset(table.name for table in wanted.tables)
    tables = {
        stored.name: _extract_table(
            run, opened, stored, _why_not_merged(stored, merged), picked.get(stored.name)
        )
        for stored in found.tables
    }
    return Extract(opened.database, opened.whole, tables, found.others, found.names)


def _extract_table(
    run: Run, opened: Opened, stored: StoredTable, reason: str, picked: pl.Series | None
) -> TableExtract:
    database, whole = opened.database, opened.whole
    columns = frozenset(map(frame_name, stored.columns))
    is_target = database.number == TARGET
    compared = is_target and stored.name in _COMPARED
    if (reason and not compared) or not stored.rows:
        return TableExtract(stored, columns, 0, None, reason=reason)
    table = stored.known if stored.name in BY_NAME else frame_table(stored.facts)
    with translate_errors(database.named, stored.name):
        read = read_rows(whole, table, stored.columns, picked)
    if not reason:
        rows, broken = _check(table, read, keep=is_target)
        quarantine(run, database, whole, table, broken)
    else:
        rows, broken = read, no_broken()
    sealed = find_sealed_rows(table, rows).height
    if sealed:
        _require_key(run, database, table, sealed)
    path = run.folders.work / database.label / f"{file_name(table.name)}.arrow"
    write_frame(rows, path)
    return TableExtract(
        stored,
        columns,
        broken[ROWID].n_unique(),
        path,
        sealed,
        reason,
        unread=0 if picked is None else stored.rows - picked.len(),
        span=span_of(rows),
        unread_span=_span_unread(whole, stored, picked),
    )


def _span_unread(whole: Path, stored: StoredTable, picked: pl.Series | None) -> Span:
    if picked is None:
        return NEVER
    return span_beside(whole, stored.name, stored.columns, picked)


def widest(*spans: Span) -> Span:
    """Return the span from the first to the last of several."""
    first = min((first for first, _ in spans if first is not None), default=None)
    last = max((last for _, last in spans if last is not None), default=None)
    return first, last


def span_of(rows: pl.DataFrame) -> Span:
    """Return the first and last ``observed_at`` of a frame of rows."""
    if "observed_at" not in rows.columns:
        return NEVER
    times = pl.col("observed_at")
    first, last = rows.select(first=times.min(), last=times.max()).row(0)
    return first, last


def _check(table: Table, read: pl.DataFrame, *, keep: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows to go on with, and what is wrong with the broken ones.

    A backup's broken rows are set aside. The target's stay where they are (``keep``): a row that
    has its key must still be known to have it. Only those without a key are left out.
    """
    validated = validate(table, read)
    broken = validated.broken.sort(ROWID, "column")
    if not keep:
        return validated.rows, broken
    if not table.key:
        return read, broken
    no_key = pl.any_horizontal(pl.col(name).is_null() for name in table.key)
    keyed = read.filter(~no_key).unique(table.key, keep="first", maintain_order=True)
    return pl.concat([keyed, validated.rows.filter(no_key)]).sort(ROWID), broken


def _require_key(run: Run, database: DatabaseRef, table: Table, sealed: int) -> None:
    """Raise KeyMissing or UsageError before anything more is read in vain."""
    if run.key is None:
        raise KeyMissing(database.named, sealed, table.name)
    read_key(run.key)


def _why_not_merged(stored: StoredTable, merged: frozenset[str]) -> str:
    """Return why a table is not merged; nothing for one that is."""
    if stored.name in merged:
        return ""
    if stored.name.startswith("sqlite_"):
        return "SQLite's own"
    rebuilt = "recomputed from the log" if stored.name in _COMPARED else "Neotoma rebuilds it"
    reasons = {
        "derived": f"derived: {rebuilt}",
        "operational": "operational: belongs to the server that wrote it",
        "personal": "personal: who is no longer named in it was erased",
        "secret": "secret: credentials are not brought back",
    }
    return reasons.get(kind_of(stored.name) or "", stored.barred)
