"""Which entities and relationships only the exact, row-wise reducer gets right."""

import polars as pl

from neotoma_core.neotoma.frames import is_odd
from neotoma_core.neotoma.json import SAFE_INTEGER
from neotoma_core.reduce.groups import both, differs_within_group, where


def entities_needing_exact(ordered: pl.DataFrame, beyond: pl.DataFrame) -> pl.Series:
    """Return the groups of entities that have to be reduced row by row.

    These are entities with an invalid date, with an infinite specificity, with something else
    than a number in a column of numbers, or with both NULL and zero priorities: comparing those,
    JavaScript falls back on the order of its sort. Also entities whose text DuckDB cannot take
    apart, and those of several types whose priorities are equal to JavaScript and not to SQLite.

    Args:
        ordered: readable observations of entities; see ``ordering``.
        beyond: (row) of the texts that DuckDB cannot take apart; see ``objects``.
    """
    priority, specificity = pl.col("source_priority"), pl.col("specificity_score")
    null_and_zero = both(where(ordered, priority.is_null()), where(ordered, priority == 0))
    cells = [pl.col(f"{name}_cell") for name in ("source_priority", "specificity_score")]
    no_number = pl.any_horizontal(specificity.is_infinite(), *map(is_odd, cells))
    is_mixed = pl.any_horizontal(
        differs_within_group(column) for column in ("entity_type", "schema_version")
    )
    mixed = both(where(ordered, is_mixed), where(ordered, _is_inexact(priority)))
    return _any(_unreadable(ordered, beyond), null_and_zero, where(ordered, no_number), mixed)


def relationships_needing_exact(ordered: pl.DataFrame, beyond: pl.DataFrame) -> pl.Series:
    """Return the groups of relationships that have to be reduced row by row; see above."""
    return _any(_unreadable(ordered, beyond))


def subjects_needing_exact_liveness(ordered: pl.DataFrame) -> pl.Series:
    """Return the relationships whose priorities SQLite orders otherwise than doubles."""
    priority = pl.col("source_priority")
    no_number = is_odd(pl.col("source_priority_cell"))
    return ordered.filter(no_number | _is_inexact(priority))["subject"].unique()


def _is_inexact(priority: pl.Expr) -> pl.Expr:
    """Find numbers that may be the nearest double of an integer without an exact double."""
    return (priority.abs() >= SAFE_INTEGER) & priority.is_finite()


def _unreadable(ordered: pl.DataFrame, beyond: pl.DataFrame) -> pl.Series:
    no_date = pl.col("instant").is_null()
    return where(ordered, no_date | pl.col("row").is_in(beyond["row"].implode()))


def _any(*groups: pl.Series) -> pl.Series:
    return pl.concat(groups).unique()
