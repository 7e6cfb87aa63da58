"""Opening what the databases hold encrypted: in memory, after it was read, and nowhere else.

The files of a run hold rows as stored. So what is merged into the target stays sealed as it was;
what is compared and reduced is open.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from neotoma_core.files.keys import read_key
from neotoma_core.lineage.lineage import Database
from neotoma_core.lineage.offers import Offered
from neotoma_core.merge.plan import MergePlan
from neotoma_core.neotoma.encryption.columns import find_sealed_rows, open_rows
from neotoma_core.neotoma.frames import ORIGIN, ROWID, empty_rows
from neotoma_core.neotoma.tables import MERGED, Table
from neotoma_core.runs.run import Run
from neotoma_core.sources.extract import Extract
from neotoma_core.sources.unread import read_unread

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey


def key_for(run: Run, extracts: tuple[Extract, ...]) -> "DataKey | None":
    """Return the run's key; None where nothing is sealed. Raises UsageError."""
    source = run.key
    sealed = any(extract.sealed for extract in extracts)
    return read_key(source) if source and sealed else None


def open_offers(
    extract: Extract | None, key: "DataKey | None", tables: Sequence[Table] = MERGED
) -> Database:
    """Return what a database offers to the merge, opened; raises KeyWrong."""
    if extract is None:
        return {t.name: Offered(empty_rows(t), frozenset(t.names)) for t in tables}
    return {table.name: _open(extract, table, key) for table in tables}


def open_existing(
    target: Extract | None, table: Table, key: "DataKey | None", touched: pl.DataFrame
) -> pl.DataFrame:
    """Return the target's rows of one derived table, opened; raises KeyWrong.

    ``touched``: keys of the rows that matter; the others may be missing.
    """
    if target is None:
        return empty_rows(table)
    rows = _open(target, table, key).rows
    later = read_unread(target, table.name, touched.columns[0], touched.to_series())
    return pl.concat([rows, later]) if later.height else rows


def holds_sealed(target: Extract | None, backups: tuple[Extract, ...], merge: MergePlan) -> bool:
    """Return whether the merged database holds a sealed value: then all it derives is sealed.

    Neotoma seals whatever it writes once its owner has turned encryption on, and leaves no other
    mark of it than sealed values.
    """
    if target and target.sealed:
        return True
    return any(_brings_sealed(backup, table, merge) for backup in backups for table in MERGED)


def _open(extract: Extract, table: Table, key: "DataKey | None") -> Offered:
    offered = extract.offer(table)
    if key is None or not extract.count_sealed(table):
        return offered
    rows = open_rows(table, offered.rows, key, extract.database.named)
    return replace(offered, rows=rows)


def _brings_sealed(backup: Extract, table: Table, merge: MergePlan) -> bool:
    if not backup.count_sealed(table):
        return False
    stored = find_sealed_rows(table, backup.rows(table.name)).select(ROWID)
    taken = merge.rows_after(table.name).filter(pl.col(ORIGIN) == backup.database.number)
    return not taken.join(stored, on=ROWID, how="semi").is_empty()
