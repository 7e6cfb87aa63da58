"""Keeping aside the rows of a backup that cannot be merged."""

from pathlib import Path

import polars as pl

from neotoma_core.files.frames import file_name, write_parquet
from neotoma_core.neotoma.frames import ROWID, TARGET
from neotoma_core.neotoma.tables import Table
from neotoma_core.runs.run import DatabaseRef, Run
from neotoma_core.sqlite.rows import read_literals


def quarantine(
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
    quarantine_rows(run, database.label, whole, table, broken)


def quarantine_rows(run: Run, label: str, whole: Path, table: Table, broken: pl.DataFrame) -> None:
    """Keep rows of a whole copy in the quarantine, every cell as an SQL literal, with the reason.

    ``broken``: ``_rowid``, ``column``, ``reason``.
    """
    reasons = broken.group_by(ROWID, maintain_order=True).agg(
        _reason=pl.format("{}: {}", "column", "reason").str.join("; ")
    )
    literals = read_literals(whole, table, reasons[ROWID])
    path = run.folders.quarantine / f"{label}-{file_name(table.name)}.parquet"
    write_parquet(literals.join(reasons, on=ROWID, how="left"), path)
