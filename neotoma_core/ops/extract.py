"""Extracting one copied database: its rows into Arrow files, its broken rows into quarantine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from neotoma_core.contracts import validate
from neotoma_core.encryption import sealed_rows
from neotoma_core.errors import KeyMissing
from neotoma_core.frames import ROWID, TARGET, framed, framed_table
from neotoma_core.merge.frames import Offered
from neotoma_core.ops.evidence import DatabaseEvidence
from neotoma_core.ops.run import DatabaseRef, Run
from neotoma_core.ops.salvaged_rows import UNASSIGNED, not_proven
from neotoma_core.proof import mergers
from neotoma_core.store.arrow_sqlite import readable
from neotoma_core.store.databases import check_integrity, connect_read_only, make_whole
from neotoma_core.store.frame_files import file_name, read_frame, write_frame, write_parquet
from neotoma_core.store.inspection import (
    StoredObject,
    StoredTable,
    inspect_database,
    require_writable,
)
from neotoma_core.store.keys import read_key
from neotoma_core.store.rows import StoredRows, empty_rows, read_literals, read_rows
from neotoma_core.store.staging import RowSource, StoredRowSet
from neotoma_core.tables import BY_NAME, Table, kind_of

# Derived tables are not merged; what the target has of them is compared with what is recomputed.
_COMPARED = ("entity_snapshots", "relationship_snapshots")


@dataclass(frozen=True, slots=True)
class TableExtract:
    """One table: its columns and rows as stored, the rows set aside, the file with the others.

    ``columns`` are called as frames call them. ``sealed`` counts the rows in the file with an
    encrypted value; there they stay encrypted. ``reason``: why the table is not merged, if so.
    ``renamed``: columns that other databases spell otherwise, and how.
    """

    stored: StoredTable
    columns: frozenset[str]
    broken: int
    frame: Path | None
    sealed: int = 0
    reason: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)

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

    def offered(self, table: Table) -> Offered:
        """Return the rows of a merged table, empty where the database lacks the table."""
        extract = self.tables.get(table.name)
        if extract is None or extract.frame is None:
            return Offered(empty_rows(table), frozenset(table.names))
        set_aside = 0 if self.database.number == TARGET else extract.broken
        rows = read_frame(extract.frame).rename(extract.renamed)
        columns = frozenset(extract.renamed.get(name, name) for name in extract.columns)
        return Offered(rows, columns, set_aside)

    def rows(self, table: str) -> pl.DataFrame:
        """Return the rows of one extracted table."""
        return self.offered(BY_NAME[table]).rows

    @property
    def sealed(self) -> bool:
        """Whether any row that was read has an encrypted value."""
        return any(table.sealed for table in self.tables.values())

    def sealed_in(self, table: Table) -> int:
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


def extract_database(run: Run, evidence: DatabaseEvidence) -> Extract:
    """Read every table of a copied database once.

    Raises BackupUnreadable, BackupDamaged, NotNeotoma, TargetError, KeyMissing, UsageError.
    """
    database = evidence.database
    scratch = run.folders.work / database.label
    scratch.mkdir(parents=True, exist_ok=True)
    whole = make_whole(evidence.copy, database.path, scratch)
    connection = connect_read_only(whole)
    try:
        check_integrity(connection, database.path)
        found = inspect_database(connection, database.path)
    finally:
        connection.close()
    if database.number == TARGET:
        require_writable(found, database.path)
    tables = {table.name: _extract_table(run, database, whole, table) for table in found.tables}
    if database.suspect:
        tables = _proven(run, database, whole, tables)
    return Extract(database, whole, tables, found.others, found.names)


def _extract_table(
    run: Run, database: DatabaseRef, whole: Path, stored: StoredTable
) -> TableExtract:
    columns = frozenset(map(framed, stored.columns))
    is_target = database.number == TARGET
    reason = _not_merged(run, stored)
    compared = is_target and stored.name in _COMPARED
    if (reason and not compared) or not stored.rows:
        return TableExtract(stored, columns, 0, None, reason=reason)
    table = stored.known if stored.name in BY_NAME else framed_table(stored.facts)
    with readable(database.path, stored.name):
        read = read_rows(whole, table, stored.columns)
    if not reason:
        rows, broken = _checked(table, read, keep=is_target)
        _quarantine(run, database, whole, table, broken)
    else:
        rows, broken = read.rows, read.broken
    sealed = sealed_rows(table, rows).height
    if sealed:
        _require_key(run, database, table, sealed)
    path = run.folders.work / database.label / f"{file_name(table.name)}.arrow"
    write_frame(rows, path)
    return TableExtract(stored, columns, broken[ROWID].n_unique(), path, sealed, reason)


def _proven(
    run: Run, database: DatabaseRef, whole: Path, tables: Mapping[str, TableExtract]
) -> dict[str, TableExtract]:
    """Return the tables of a salvaged copy without rows that nothing proves whole."""
    merges = tables.get("entity_merges")
    merged_into = mergers(read_frame(merges.frame)) if merges and merges.frame else {}
    return {
        name: _proven_table(run, database, whole, table, merged_into)
        for name, table in tables.items()
    }


def _proven_table(
    run: Run,
    database: DatabaseRef,
    whole: Path,
    extract: TableExtract,
    merged_into: Mapping[str, Sequence[str]],
) -> TableExtract:
    if extract.frame is None or extract.name not in BY_NAME:
        return replace(extract, frame=None, broken=0, reason=extract.reason or UNASSIGNED)
    table, rows = extract.stored.known, read_frame(extract.frame)
    broken = not_proven(run, table, rows, merged_into)
    if broken.is_empty():
        return extract
    unproven = replace(database, label=f"{database.label}-unproven")
    _quarantine(run, unproven, whole, table, broken)
    write_frame(rows.join(broken, on=ROWID, how="anti", maintain_order="left"), extract.frame)
    return replace(extract, broken=extract.broken + broken.height)


def _checked(table: Table, read: StoredRows, *, keep: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows to go on with, and what is wrong with the broken ones.

    A backup's broken rows are set aside. The target's stay where they are (``keep``): a row that
    has its key must still be known to have it. Only those without a key are left out.
    """
    readable = read.rows.join(read.broken, on=ROWID, how="anti", maintain_order="left")
    validated = validate(table, readable)
    broken = pl.concat([read.broken, validated.broken]).sort(ROWID, "column")
    if not keep:
        return validated.rows, broken
    if not table.key:
        return read.rows, broken
    no_key = pl.any_horizontal(pl.col(name).is_null() for name in table.key)
    keyed = read.rows.filter(~no_key).unique(table.key, keep="first", maintain_order=True)
    return pl.concat([keyed, validated.rows.filter(no_key)]).sort(ROWID), broken


def _require_key(run: Run, database: DatabaseRef, table: Table, sealed: int) -> None:
    """Raise KeyMissing or UsageError before anything more is read in vain."""
    if run.request.key is None:
        raise KeyMissing(database.path, sealed, table.name)
    read_key(run.request.key)


def _quarantine(
    run: Run,
    database: DatabaseRef,
    whole: Path,
    table: Table,
    broken: pl.DataFrame,
) -> None:
    """Keep a backup's broken rows, every cell as an SQL literal, with the reason.

    The target's own stay in the target; they are only counted, and so are credentials.
    """
    if broken.is_empty() or database.number == TARGET or table.kind == "secret":
        return
    reasons = broken.group_by(ROWID, maintain_order=True).agg(
        _reason=pl.format("{}: {}", "column", "reason").str.join("; ")
    )
    literals = read_literals(whole, table, reasons[ROWID])
    path = run.folders.quarantine / f"{database.label}-{file_name(table.name)}.parquet"
    write_parquet(literals.join(reasons, on=ROWID, how="left"), path)


def _not_merged(run: Run, stored: StoredTable) -> str:
    """Return why a table is not merged; nothing for one that is."""
    if stored.name in {table.name for table in run.request.tables}:
        return ""
    if stored.name.startswith("sqlite_"):
        return "SQLite's own"
    rebuilt = "recomputed from the log" if stored.name in _COMPARED else "Neotoma rebuilds it"
    reasons = {
        "derived": f"derived: {rebuilt}",
        "operational": "operational: belongs to the server that wrote it",
        "secret": "secret: credentials are not brought back",
    }
    return reasons.get(kind_of(stored.name) or "", stored.barred)
