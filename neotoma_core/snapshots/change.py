"""Which derived rows have to be written: recomputed ones against those that are there."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class DerivedChange:
    """The change of one derived table.

    ``written``: rows to insert or to put in the place of the row with their key.
    ``removed``: the keys of rows to delete. ``unchanged``: recomputed rows that are there already.
    """

    written: pl.DataFrame
    removed: pl.DataFrame
    inserted: int
    updated: int
    unchanged: int

    @property
    def writes(self) -> int:
        """How many rows will be written or deleted."""
        return self.written.height + self.removed.height


def plan_derived(  # noqa: PLR0913 - the two sides of a comparison and how to compare
    key: str,
    existing: pl.DataFrame,
    recomputed: pl.DataFrame,
    gone: pl.DataFrame,
    *,
    ignored: Sequence[str] = (),
    columns: Sequence[str],
) -> DerivedChange:
    """Compare recomputed rows with the existing ones, by ``columns`` less the ``ignored``.

    ``gone`` holds the keys that no longer have a row. A row that differs in an ignored column
    only, such as the hour of its computation, stays as it is.
    """
    compared = [name for name in columns if name not in (key, *ignored)]
    known = existing.select(key, *(pl.col(n).alias(f"_was_{n}") for n in compared), _there=True)
    beside = recomputed.select(columns).join(known, on=key, how="left", maintain_order="left")
    differs = pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"_was_{n}")) for n in compared)
    is_new = pl.col("_there").is_null()
    inserted = beside.filter(is_new).select(columns)
    updated = beside.filter(~is_new & differs).select(columns)
    return DerivedChange(
        written=pl.concat([inserted, updated]),
        removed=gone.select(key).join(existing.select(key), on=key, how="semi"),
        inserted=inserted.height,
        updated=updated.height,
        unchanged=recomputed.height - inserted.height - updated.height,
    )
