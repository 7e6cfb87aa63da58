"""What all that one user observed of an entity or relationship shares: one row per group."""

from collections.abc import Sequence

import polars as pl

from neotoma_core.neotoma.frames import ROWID
from neotoma_core.reduce.exact.rule_sets import Head


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


def with_heads(
    groups: pl.DataFrame, ordered: pl.DataFrame, columns: Sequence[str], head: Head
) -> pl.DataFrame:
    """Return groups with ``columns`` as the observation has them that Neotoma reads first.

    Args:
        groups: with ``group`` and ``columns``, as ``groups_of`` returns them.
        ordered: observations of them, with ``observed_at`` and ``id``, and for the order of the
            index ``source_priority`` and ``_rowid``.
        columns: those that may differ within a group.
        head: the order in which Neotoma reads.
    """
    mixed = where(ordered, pl.any_horizontal(differs_within_group(name) for name in columns))
    if mixed.is_empty():
        return groups
    rows = ordered.filter(pl.col("group").is_in(mixed.implode()))
    if head == "index":
        rows = rows.sort("source_priority", "observed_at", ROWID, nulls_last=False)
    else:
        rows = rows.sort("observed_at", "id", descending=[True, False], nulls_last=True)
    first = rows.group_by("group", maintain_order=True).agg(pl.col(columns).first())
    beside = groups.join(
        first, on="group", how="left", suffix="_first", coalesce=True, maintain_order="left"
    )
    is_mixed = pl.col("group").is_in(mixed.implode())
    heads = (pl.when(is_mixed).then(f"{n}_first").otherwise(n).alias(n) for n in columns)
    return beside.with_columns(heads).select(groups.columns)


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
