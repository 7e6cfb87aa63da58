"""Extracting one copied database: its rows into Arrow files, its broken rows into quarantine."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from neotoma_core.contracts import validate
from neotoma_core.encryption import sealed_rows
from neotoma_core.errors import KeyMissing
from neotoma_core.frames import ROWID, TARGET
from neotoma_core.merge.frames import Offered
from neotoma_core.ops.evidence import DatabaseEvidence
from neotoma_core.ops.run import DatabaseRef, Run
from neotoma_core.store.databases import (
    StoredTable,
    check_integrity,
    connect_read_only,
    list_tables,
    make_whole,
)
from neotoma_core.store.frame_files import read_frame, write_frame, write_parquet
from neotoma_core.store.keys import read_key
from neotoma_core.store.rows import StoredRows, empty_rows, read_literals, read_rows
from neotoma_core.store.staging import RowSource
from neotoma_core.tables import BY_NAME, Table, kind_of

# Derived tables are not merged; what the target has of them is compared with what is recomputed.
_COMPARED = (BY_NAME["entity_snapshots"], BY_NAME["relationship_snapshots"])


@dataclass(frozen=True, slots=True)
class TableExtract:
    """One table: its columns and rows as stored, the rows set aside, the file with the others.

    ``sealed`` counts the rows in the file with an encrypted value; there they stay encrypted.
    """

    name: str
    columns: frozenset[str]
    read: int
    broken: int
    frame: Path | None
    sealed: int = 0


@dataclass(frozen=True, slots=True)
class Extract:
    """One database, extracted. Small: the rows are in the files it names."""

    database: DatabaseRef
    whole: Path
    tables: dict[str, TableExtract]

    def offered(self, table: Table) -> Offered:
        """Return the rows of a merged table, empty where the database lacks the table."""
        extract = self.tables.get(table.name)
        if extract is None or extract.frame is None:
            return Offered(empty_rows(table), frozenset(table.names))
        set_aside = 0 if self.database.number == TARGET else extract.broken
        return Offered(read_frame(extract.frame), extract.columns, set_aside)

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
        return RowSource(self.whole, {t.name: t.columns for t in self.tables.values()})


def extract_database(run: Run, evidence: DatabaseEvidence) -> Extract:
    """Read every table of a copied database once.

    Raises BackupUnreadable, BackupDamaged, NotNeotoma, KeyMissing, UsageError.
    """
    database = evidence.database
    scratch = run.folders.work / database.label
    scratch.mkdir(parents=True, exist_ok=True)
    whole = make_whole(evidence.copy, database.path, scratch)
    connection = connect_read_only(whole)
    try:
        check_integrity(connection, database.path)
        stored = list_tables(connection, database.path)
    finally:
        connection.close()
    tables = {table.name: _extract_table(run, database, whole, table) for table in stored}
    return Extract(database, whole, tables)


def _extract_table(
    run: Run, database: DatabaseRef, whole: Path, stored: StoredTable
) -> TableExtract:
    columns = frozenset(stored.columns)
    table = BY_NAME.get(stored.name)
    is_target = database.number == TARGET
    merged = table in run.request.tables
    if table is None or not (merged or (is_target and table in _COMPARED)):
        return TableExtract(stored.name, columns, stored.rows, 0, None)
    if not stored.rows:
        return TableExtract(stored.name, columns, 0, 0, None)
    read = read_rows(whole, table, stored.columns)
    if merged:
        rows, broken = _checked(table, read, keep=is_target)
        _quarantine(run, database, whole, table, broken)
    else:
        rows, broken = read.rows, read.broken
    sealed = sealed_rows(table, rows).height
    if sealed:
        _require_key(run, database, table, sealed)
    path = run.folders.work / database.label / f"{table.name}.arrow"
    write_frame(rows, path)
    set_aside = broken[ROWID].n_unique()
    return TableExtract(stored.name, columns, stored.rows, set_aside, path, sealed)


def _checked(table: Table, read: StoredRows, *, keep: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows to go on with, and what is wrong with the broken ones.

    A backup's broken rows are set aside. The target's stay where they are (``keep``): a row that
    has its key must still be known to have it. Only rows without any key are left out there.
    """
    readable = read.rows.join(read.broken, on=ROWID, how="anti", maintain_order="left")
    validated = validate(table, readable)
    broken = pl.concat([read.broken, validated.broken]).sort(ROWID, "column")
    if not keep:
        return validated.rows, broken
    keyed = read.rows.drop_nulls(list(table.key))
    return keyed.unique(table.key, keep="first", maintain_order=True), broken


def _require_key(run: Run, database: DatabaseRef, table: Table, sealed: int) -> None:
    """Raise KeyMissing or UsageError before anything more is read in vain."""
    if run.request.key is None:
        raise KeyMissing(database.path, sealed, table.name)
    read_key(run.request.key)


def _quarantine(
    run: Run, database: DatabaseRef, whole: Path, table: Table, broken: pl.DataFrame
) -> None:
    """Keep a backup's broken rows, every cell as an SQL literal, with the reason.

    The target's own stay in the target; they are only counted, and so are credentials.
    """
    if broken.is_empty() or database.number == TARGET or table.kind == "secret":
        return
    reasons = broken.group_by(ROWID, maintain_order=True).agg(
        _reason=pl.format("{}: {}", "column", "reason").str.join("; ")
    )
    literals = read_literals(whole, table.name, reasons[ROWID])
    path = run.folders.quarantine / f"{database.label}-{table.name}.parquet"
    write_parquet(literals.join(reasons, on=ROWID, how="left"), path)


def skipped_reason(name: str) -> str | None:
    """Return why a table is not merged; None for one that is."""
    kind = kind_of(name)
    if kind is None:
        return "not a table of Neotoma's"
    return {
        "derived": "derived: recomputed from the log",
        "operational": "operational: belongs to the server that wrote it",
        "secret": "secret: credentials are not brought back",
    }.get(kind)
