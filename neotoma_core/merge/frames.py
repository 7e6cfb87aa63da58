"""The frames a merge works on.

Frames of rows have ``_rowid`` and the table's columns, one row per stored row. Merged frames also
have ``_origin`` (-1 the target, else the number of the backup) and ``_target_rowid`` (NULL for a
row the target does not have).
"""

from dataclasses import dataclass

import polars as pl

from neotoma_core.frames import ORIGIN, ROWID, TARGET_ROWID, values_of
from neotoma_core.tables import Table


@dataclass(frozen=True, slots=True)
class Offered:
    """The rows one database offers, the columns it really has, and how many rows were set aside.

    Columns it does not have were filled in as a migration would; they say nothing in a comparison.
    """

    rows: pl.DataFrame
    columns: frozenset[str]
    quarantined: int = 0


def as_merged(rows: pl.DataFrame, origin: int, target_rowid: pl.Expr) -> pl.DataFrame:
    """Return rows of one database as rows of a merged frame."""
    return rows.select(
        *values_of(rows),
        ROWID,
        pl.lit(origin, pl.Int32).alias(ORIGIN),
        target_rowid.cast(pl.Int64).alias(TARGET_ROWID),
    )


def secondary_keys(table: Table) -> tuple[tuple[str, ...], ...]:
    """Return the further unique keys of a table; a NULL in one of its columns lifts it."""
    return tuple(index.columns for index in table.indexes if index.unique)
