"""Extracting one copied database: its rows into Arrow files, its broken rows into quarantine."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from neotoma_core.contracts import validate
from neotoma_core.encryption import is_sealed
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
from neotoma_core.store.rows import StoredRows, empty_rows, read_literals, read_rows
from neotoma_core.store.staging import RowSource
from neotoma_core.tables import BY_NAME, Table, kind_of

# Derived tables are not merged; what the target has of them is compared with what is recomputed.
_COMPARED = (BY_NAME["entity_snapshots"], BY_NAME["relationship_snapshots"])


@dataclass(frozen=True, slots=True)
class TableExtract:
    """One table: its columns and rows as stored, the rows set aside, the file with the others."""

    name: str
    columns: frozenset[str]
    read: int
    broken: int
    frame: Path | None


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
    def source(self) -> RowSource:
        """The whole copy, as a place to take rows from."""
        return RowSource(self.whole, {t.name: t.columns for t in self.tables.values()})


def extract_database(run: Run, evidence: DatabaseEvidence) -> Extract:
    """Read every table of a copied database once.

    Raises BackupUnreadable, BackupDamaged, NotNeotoma, KeyMissing.
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
    if table is None or not (table.merged or (is_target and table in _COMPARED)):
        return TableExtract(stored.name, columns, stored.rows, 0, None)
    read = read_rows(whole, table, stored.columns)
    if table.merged:
        _require_unsealed(database, table, read.rows)
        rows, broken = _checked(table, read, keep=is_target)
        _quarantine(run, database, whole, table, broken)
    else:
        rows, broken = read.rows, read.broken
    path = run.folders.work / database.label / f"{table.name}.arrow"
    write_frame(rows, path)
    return TableExtract(stored.name, columns, stored.rows, broken[ROWID].n_unique(), path)


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


def _require_unsealed(database: DatabaseRef, table: Table, rows: pl.DataFrame) -> None:
    if table.name != "observations":
        return
    sealed = rows.select(is_sealed("fields").sum()).item()
    if sealed:
        raise KeyMissing(database.path, sealed)


def _quarantine(
    run: Run, database: DatabaseRef, whole: Path, table: Table, broken: pl.DataFrame
) -> None:
    """Keep a backup's broken rows, every cell as an SQL literal, with the reason.

    The target's own stay in the target; they are only counted.
    """
    if broken.is_empty() or database.number == TARGET:
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
