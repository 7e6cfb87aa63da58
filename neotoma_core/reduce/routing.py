"""Which entities and relationships only the exact, row-wise reducer gets right."""

import math

import polars as pl

from neotoma_core.reduce.groups import both, differs_within_group, where


def entities_needing_exact(ordered: pl.DataFrame, beyond: pl.DataFrame) -> pl.Series:
    """Return the groups of entities that have to be reduced row by row.

    These are entities with a date that is none, with an infinite specificity, or with both NULL
    and zero priorities: comparing those, JavaScript falls back on the order of its sort. Also
    entities whose text DuckDB cannot take apart, and entities of several types, users or versions
    whose first observation in the order of the database may not be the latest.

    Args:
        ordered: readable observations of entities; see ``ordering``.
        beyond: (row) of the texts that DuckDB cannot take apart; see ``objects``.
    """
    priority = pl.col("source_priority")
    null_and_zero = both(where(ordered, priority.is_null()), where(ordered, priority == 0))
    is_infinite = pl.col("specificity_score").abs() == math.inf
    is_mixed = pl.any_horizontal(
        differs_within_group(column) for column in ("entity_type", "user_id", "schema_version")
    )
    mixed = both(where(ordered, is_mixed), where(ordered, ~pl.col("as_written")))
    return _any(_unreadable(ordered, beyond), null_and_zero, where(ordered, is_infinite), mixed)


def relationships_needing_exact(ordered: pl.DataFrame, beyond: pl.DataFrame) -> pl.Series:
    """Return the groups of relationships that have to be reduced row by row; see above."""
    is_mixed = pl.any_horizontal(
        differs_within_group(column)
        for column in ("relationship_type", "source_entity_id", "target_entity_id", "user_id")
    )
    mixed = both(where(ordered, is_mixed), where(ordered, ~pl.col("as_written")))
    return _any(_unreadable(ordered, beyond), mixed)


def _unreadable(ordered: pl.DataFrame, beyond: pl.DataFrame) -> pl.Series:
    no_date = pl.col("instant").is_null()
    return where(ordered, no_date | pl.col("row").is_in(beyond["row"].implode()))


def _any(*groups: pl.Series) -> pl.Series:
    return pl.concat(groups).unique()
