"""Which of two versions of a row is the newer one, by the history that both logs keep. Pure.

A row that has one version here and another one there was changed by one of the two machines, or by
both. The version that the other machine had before is the older one. Where neither had the other's,
both changed the row: then the larger hash wins, so that both machines decide the same.

Versions: ``key``, ``_row_hash``; one row per version that a log ever had, or that stands in it.
"""

import polars as pl

from neotoma_core.merge.decisions import SOURCE_SIDE, TARGET_SIDE
from neotoma_core.row_versions.columns import ROW_HASH


def decide_versions(
    ours: pl.DataFrame, theirs: pl.DataFrame, our_history: pl.DataFrame, their_history: pl.DataFrame
) -> pl.DataFrame:
    """Return (key, keep) of the rows that both have, and that differ.

    ``ours``, ``theirs``: the versions that stand, one per key.
    """
    both = ours.drop_nulls("key").join(
        theirs.drop_nulls("key"), on="key", how="inner", suffix="_theirs"
    )
    differing = both.filter(pl.col(ROW_HASH) != pl.col(f"{ROW_HASH}_theirs"))
    seen_there = _is_in(differing, ROW_HASH, their_history)
    seen_here = _is_in(differing, f"{ROW_HASH}_theirs", our_history)
    theirs_is_newer = (
        pl.when(seen_there & ~seen_here)
        .then(pl.lit(value=True))
        .when(seen_here & ~seen_there)
        .then(pl.lit(value=False))
        .otherwise(pl.col(f"{ROW_HASH}_theirs") > pl.col(ROW_HASH))
    )
    return differing.select(
        "key",
        keep=pl.when(theirs_is_newer).then(pl.lit(SOURCE_SIDE)).otherwise(pl.lit(TARGET_SIDE)),
    ).sort("key")


def _is_in(rows: pl.DataFrame, column: str, history: pl.DataFrame) -> pl.Series:
    """Return of each row whether its version was ever in a log."""
    known = (
        history.select(pl.col(ROW_HASH).alias(column), "key")
        .unique()
        .with_columns(_known=pl.lit(value=True))
    )
    beside = rows.select("key", column).join(
        known, on=["key", column], how="left", maintain_order="left"
    )
    return beside["_known"].fill_null(value=False)
