"""What is to be kept where rows are in conflict, and who says so."""

from typing import Final

import polars as pl

KEEP: Final = "_keep"
BY: Final = "_by"
TARGET_SIDE: Final = "target"
SOURCE_SIDE: Final = "source"

DECISIONS: Final = pl.Schema(
    {"backup": pl.Int32, "table": pl.String, "key": pl.String, "keep": pl.String}
)
"""One row per row in conflict that somebody decided: ``keep`` is ``target`` or ``source``."""


def apply_decisions(found: pl.DataFrame, keys: pl.Series, decisions: pl.DataFrame) -> pl.DataFrame:
    """Return ``found`` with ``_keep`` and ``_by`` of the rows that ``decisions`` speak of.

    ``keys``: the key of each row, as in a conflict. ``decisions``: (key, keep).
    """
    spoken = decisions.select(key="key", said="keep").unique("key", keep="first")
    beside = found.with_columns(keys.alias("_key")).join(
        spoken, left_on="_key", right_on="key", how="left", maintain_order="left"
    )
    is_said = pl.col("said").is_not_null()
    return beside.with_columns(
        pl.when(is_said).then("said").otherwise(KEEP).alias(KEEP),
        pl.when(is_said).then(pl.lit("decision")).otherwise(BY).alias(BY),
    ).drop("said", "_key")
