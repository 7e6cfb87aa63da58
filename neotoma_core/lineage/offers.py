"""The frames a merge works on.

Frames of rows have ``_rowid`` and the table's columns, one row per stored row. Merged frames also
have ``_origin`` (-1 the target, else the number of the backup) and ``_target_rowid`` (NULL for a
row the target does not have).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from neotoma_core.neotoma.frames import ORIGIN, ROWID, TARGET_ROWID, values_of
from neotoma_core.neotoma.tables import Table

MOVED_FROM: Final = "_moved_from"
"""What a row said, in the columns that merges of entities rewrite, before it was repointed."""

CLAIMED: Final = "_claimed"
"""Whether a backup has the row of the target, too: then it is the first backup that has it."""

_AFTER_ALL: Final = 1 << 62

REWRITTEN: Final = pl.Schema({ROWID: pl.Int64, "column": pl.String, "value": pl.String})


@dataclass(frozen=True, slots=True)
class Offered:
    """The rows one database offers, the columns it really has, and how many rows were set aside.

    Columns it does not have were filled in as a migration would; they say nothing in a comparison.
    ``rewritten``: (_rowid, column, value) of cells that are not as stored, since what they refer to
    has another name in the merged database. ``skipped``: why rows are left out, and how many.
    ``alike``: rows that are not here since the target is known to have them, cell for cell.
    """

    rows: pl.DataFrame
    columns: frozenset[str]
    quarantined: int = 0
    rewritten: pl.DataFrame = field(default_factory=REWRITTEN.to_frame)
    skipped: Mapping[str, int] = field(default_factory=dict)
    alike: int = 0

    @property
    def read(self) -> int:
        """How many rows were read, wherever they went."""
        aside = self.quarantined + self.alike + sum(self.skipped.values())
        return self.rows.height + aside

    def without(self, rows: pl.DataFrame, reason: str) -> "Offered":
        """Return the same without some rows (``_rowid``), which are skipped for a reason."""
        if rows.is_empty():
            return self
        less = self.only(self._others(rows))
        skipped = self.skipped.get(reason, 0) + self.rows.height - less.rows.height
        return replace(less, skipped={**self.skipped, reason: skipped})

    def quarantining(self, rows: pl.DataFrame) -> "Offered":
        """Return the same without some rows (``_rowid``), which are set aside."""
        less = self.only(self._others(rows))
        return replace(less, quarantined=self.quarantined + self.rows.height - less.rows.height)

    def only(self, rows: pl.DataFrame) -> "Offered":
        """Return the same with some of its rows, and of their cells those that are not as stored.

        Where the others go is for the caller to count.
        """
        rewritten = self.rewritten.join(rows.select(ROWID), on=ROWID, how="semi")
        return replace(self, rows=rows, rewritten=rewritten)

    def _others(self, rows: pl.DataFrame) -> pl.DataFrame:
        return self.rows.join(rows, on=ROWID, how="anti", maintain_order="left")


def as_merged(rows: pl.DataFrame, origin: int, target_rowid: pl.Expr) -> pl.DataFrame:
    """Return rows of one database as rows of a merged frame."""
    moved = [MOVED_FROM] if MOVED_FROM in rows.columns else []
    return rows.select(
        *values_of(rows),
        *moved,
        ROWID,
        pl.lit(origin, pl.Int32).alias(ORIGIN),
        target_rowid.cast(pl.Int64).alias(TARGET_ROWID),
    )


def as_they_will_lie(merged: pl.DataFrame) -> pl.DataFrame:
    """Return merged rows, in their order, with ``_rowid`` as it sorts once they are merged."""
    after_all = pl.int_range(pl.len(), dtype=pl.Int64) + _AFTER_ALL
    return merged.with_columns(pl.coalesce(TARGET_ROWID, after_all).alias(ROWID))


def secondary_keys(table: Table) -> tuple[tuple[str, ...], ...]:
    """Return the further unique keys of a table; a NULL in one of its columns lifts it."""
    return (*table.unique, *(index.columns for index in table.indexes if index.unique))
