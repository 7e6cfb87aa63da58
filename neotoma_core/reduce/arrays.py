"""Fields whose values are united: every item stated at the highest source priority."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from neotoma_core.canonical import NotJson, javascript_trim, parse_json, stringify
from neotoma_core.policies import FieldRule
from neotoma_core.reduce.conversions import converted, finite
from neotoma_core.reduce.engine import explode_arrays
from neotoma_core.reduce.texts import canonical, mapped

_GROUP: Final = ("group", "key")


def united(
    values: pl.DataFrame, observations: pl.DataFrame, conversions: Sequence[FieldRule]
) -> pl.DataFrame:
    """Unite the items of every field, in the order met, latest observation first.

    Only observations with the highest priority among those that state the field contribute. A
    null states the field and contributes nothing. Of equal strings, numbers or booleans the first
    stays; arrays and objects are never equal to anything, as in a JavaScript Set.

    Args:
        values: (place, row, group, key, conversion, value, source, rewritten), canonical.
        observations: (row, source_priority), none null.
        conversions: see ``conversions``.

    Returns:
        (group, key, first, value, source); see ``assembly``.

    Upstream: observation_reducer.ts, mergeArray.
    """
    stated = values.join(observations.select("row", "source_priority"), on="row")
    at_top = pl.col("source_priority") == pl.col("source_priority").max().over(_GROUP)
    contributions = stated.filter(at_top & (pl.col("value") != "null"))
    firsts = values.group_by(_GROUP).agg(first=pl.col("place").min())
    sources = contributions.sort("place").group_by(_GROUP).agg(pl.col("source").str.join(","))
    united_items = _united_items(_items(_recovered(contributions), conversions))
    return (
        firsts.join(sources, on=_GROUP, how="left")
        .join(united_items, on=_GROUP, how="left")
        .with_columns(pl.col("source").fill_null(""), pl.col("value").fill_null("[]"))
        .select(*_GROUP, "first", "value", "source")
    )


def _recovered(contributions: pl.DataFrame) -> pl.DataFrame:
    """Replace strings that hold the text of an array by that array."""
    value = pl.col("value")
    may_hold = value.str.starts_with('"') & value.str.contains("[", literal=True)
    candidates = contributions.filter(may_hold)
    if candidates.is_empty():
        return contributions
    arrays = mapped(candidates["value"], _array_within)
    return pl.concat(
        [
            contributions.filter(~may_hold),
            candidates.with_columns(
                value=pl.coalesce(arrays, value),
                rewritten=pl.col("rewritten") | arrays.is_not_null(),
            ),
        ]
    )


def _array_within(text: str) -> str | None:
    """Return the array whose text a JSON string holds, written canonically, or None."""
    held = javascript_trim(str(parse_json(text)))
    if not (held.startswith("[") and held.endswith("]")):
        return None
    try:
        value = parse_json(held)
    except NotJson:
        return None
    return stringify(value)


def _items(contributions: pl.DataFrame, conversions: Sequence[FieldRule]) -> pl.DataFrame:
    """Return (group, key, order, item), one row per item, by ``order``."""
    is_array = pl.col("value").str.starts_with("[")
    arrays = contributions.filter(is_array)
    single = converted(contributions.filter(~is_array), conversions)
    texts = arrays.group_by(text="value").agg(pl.col("rewritten").any())
    exploded = explode_arrays(texts.select("text")).join(texts, on="text").explode("items")
    spoiled = exploded.filter("rewritten")
    items = pl.concat(
        [
            exploded.filter(~pl.col("rewritten")).select("text", "items"),
            spoiled.select("text", items=canonical(spoiled["items"])),
        ]
    )
    lists = items.group_by("text", maintain_order=True).agg("items")
    of_arrays = arrays.join(lists, left_on="value", right_on="text")
    return (
        pl.concat(
            [
                of_arrays.select(*_GROUP, "place", "items"),
                single.select(*_GROUP, "place", items=pl.concat_list("value")),
            ]
        )
        .sort("place")
        .explode("items")
        .select(*_GROUP, order=pl.int_range(pl.len()), item="items")
    )


def _united_items(items: pl.DataFrame) -> pl.DataFrame:
    """Return (group, key, value): the text of the array of distinct items."""
    is_container = pl.col("item").str.contains(r"^[\[{]")
    distinct = items.group_by(*_GROUP, "item", identity=pl.when(is_container).then("order")).agg(
        pl.col("order").min()
    )
    return (
        distinct.sort("order")
        .group_by(_GROUP)
        .agg(finite(pl.col("item")))
        .select(*_GROUP, value=pl.format("[{}]", pl.col("item").list.join(",")))
    )
