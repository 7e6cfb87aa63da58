"""The fields every group keeps, with their values and the observations they come from."""

from collections.abc import Sequence

import polars as pl

from neotoma_core.neotoma.schemas import FieldRule
from neotoma_core.reduce.fields.arrays import unite_items
from neotoma_core.reduce.fields.conversions import convert_values, finite
from neotoma_core.reduce.fields.rules import UNION, FieldRules
from neotoma_core.reduce.fields.texts import canonical, holds_object
from neotoma_core.reduce.fields.winners import latest_stated, winners


def keep_fields(
    values: pl.DataFrame, observations: pl.DataFrame, rules: FieldRules
) -> pl.DataFrame:
    """Reduce values to one per group and field; fields that end as null are not kept.

    Args:
        values: see ``values``.
        observations: (row, group, contested, schema, source_priority, specificity_score,
            observation_source, id_key, instant, created_at) of the same rows.
        rules: see ``rules``.

    Returns:
        (group, key, first, value, source); see ``assembly``.
    """
    is_union = pl.col("pick") == UNION
    numbered = observations.with_columns(
        pl.col("source_priority", "specificity_score").fill_null(0)
    )
    ranked = _with_source_ranks(numbered.filter("contested"), rules)
    won = _at(values, winners(values.filter(~is_union), ranked))
    arrays = _canonical(values.filter(is_union))
    return pl.concat(
        [
            _finish(won.filter(pl.col("value") != "null"), rules.conversions),
            unite_items(arrays, numbered, rules.conversions),
        ]
    )


def latest_of_each_key(values: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Reduce values to the latest of each group and key that is not null, as for relationships.

    Returns:
        (group, key, first, value, source), see ``assembly``; and the distinct groups in which a
        key is only ever null.

    Upstream: relationship_reducer.ts.
    """
    latest = latest_stated(values)
    never = pl.col("place").is_null()
    return _finish(_at(values, latest.filter(~never)), ()), latest.filter(never)["group"].unique()


def _at(values: pl.DataFrame, won: pl.DataFrame) -> pl.DataFrame:
    """Return the values at the places won, in the order in which their fields are met."""
    in_order = won.sort("first")
    stated = values.select("conversion", "value", "source", "rewritten")[in_order["place"]]
    return pl.concat([in_order.select("group", "key", "first"), stated], how="horizontal")


def _finish(values: pl.DataFrame, conversions: Sequence[FieldRule]) -> pl.DataFrame:
    """Make values canonical and convert them; most need neither."""
    may_change = _may_be_spoiled() | pl.col("conversion").is_not_null()
    changing = values.filter(may_change)
    changed = convert_values(_canonical(changing), conversions).with_columns(
        finite(pl.col("value"))
    )
    columns = ("group", "key", "first", "value", "source")
    return pl.concat([values.filter(~may_change).select(columns), changed.select(columns)])


def _canonical(values: pl.DataFrame) -> pl.DataFrame:
    """Make the values canonical that DuckDB may have spoiled; the order may change."""
    spoiled = values.filter(_may_be_spoiled())
    if spoiled.is_empty():
        return values
    return pl.concat(
        [
            values.filter(~_may_be_spoiled()),
            spoiled.with_columns(value=canonical(spoiled["value"])),
        ]
    )


def _may_be_spoiled() -> pl.Expr:
    return pl.col("rewritten") | holds_object(pl.col("value"))


def _with_source_ranks(observations: pl.DataFrame, rules: FieldRules) -> pl.DataFrame:
    """Add ``source_rank``, by the schema's own order; sources it does not name rank last."""
    named = observations.with_columns(pl.col("observation_source").fill_null(""))
    return named.join(rules.sources, on=["schema", "observation_source"], how="left").with_columns(
        pl.col("source_rank").fill_null(rules.sources.height)
    )
