"""What all observations of one entity or relationship share: one row per group."""

import polars as pl


def groups_of(ordered: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return the groups of ordered observations.

    Args:
        ordered: observations sorted by ``row``; see ``ordering``.
        columns: columns to take from the latest observation of the group.

    Returns:
        (group, observation_count, *columns), by group.
    """
    starts = pl.col("group") != pl.col("group").shift(1)
    numbered = ordered.with_columns(position=pl.int_range(pl.len(), dtype=pl.Int64))
    return (
        numbered.filter(starts.fill_null(value=True))
        .with_columns(
            observation_count=pl.col("position").shift(-1, fill_value=ordered.height)
            - pl.col("position")
        )
        .select("group", "observation_count", *columns)
    )


def where(ordered: pl.DataFrame, predicate: pl.Expr) -> pl.Series:
    """Return the distinct groups with an observation for which ``predicate`` holds."""
    return ordered.filter(predicate)["group"].unique()


def both(left: pl.Series, right: pl.Series) -> pl.Series:
    """Return the groups of ``left`` that are in ``right`` too."""
    return left.filter(left.is_in(right.implode()))


def differs_within_group(column: str) -> pl.Expr:
    """Tell observations whose ``column`` is not that of the one before it in its group."""
    same_group = pl.col("group") == pl.col("group").shift(1)
    return same_group & pl.col(column).ne_missing(pl.col(column).shift(1))
