"""Fields whose values are united: every item stated at the highest source priority."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from neotoma_core.neotoma.json import NotJson, javascript_trim, parse_json, stringify
from neotoma_core.neotoma.schemas import FieldRule
from neotoma_core.reduce.fields.conversions import convert_values, finite
from neotoma_core.reduce.fields.engine import explode_arrays
from neotoma_core.reduce.fields.texts import canonical, map_texts

_GROUP: Final = ("group", "key")


def unite_items(
    values: pl.DataFrame, observations: pl.DataFrame, conversions: Sequence[FieldRule]
) -> pl.DataFrame:
    """Unite the items of every field, in the order met, latest observation first.

    Only observations with the highest priority among those that state the field contribute. A
    null states the field and contributes nothing. Of equal strings, numbers or booleans the first
    stays; arrays and objects are never equal to anything, as in a JavaScript Set.

    Args:
        values: (place, row, group, contested, key, conversion, value, source, rewritten),
            canonical.
        observations: (row, source_priority), none null.
        conversions: see ``conversions``.

    Returns:
        (group, key, first, value, source); see ``assembly``.

    Upstream: observation_reducer.ts, mergeArray.
    """
    listed = _recover_arrays(values)
    items = _items_of_arrays(listed)
    as_stated = items.filter(pl.col("items").list.n_unique() == pl.col("items").list.len())
    alone = listed.filter(~pl.col("contested")).join(as_stated, on="value", how="semi")
    others = listed.join(alone, on="place", how="anti")
    kept = pl.concat(
        [
            alone.select(*_GROUP, "conversion", "value", "source", first="place"),
            _unite(others, observations, items, conversions),
        ]
    )
    return convert_values(kept, conversions).select(
        *_GROUP, "first", finite(pl.col("value")), "source"
    )


def _recover_arrays(values: pl.DataFrame) -> pl.DataFrame:
    """Replace strings that hold the text of an array by that array."""
    value = pl.col("value")
    may_hold = value.str.starts_with('"') & value.str.contains("[", literal=True)
    candidates = values.filter(may_hold)
    if candidates.is_empty():
        return values
    arrays = map_texts(candidates["value"], _array_within)
    recovered = candidates.with_columns(
        value=pl.coalesce(arrays, value), rewritten=pl.col("rewritten") | arrays.is_not_null()
    )
    return pl.concat([values.filter(~may_hold), recovered])


def _array_within(text: str) -> str | None:
    """Return the array whose text a JSON string holds, written canonically, or None."""
    held = javascript_trim(str(parse_json(text)))
    if not (held.startswith("[") and held.endswith("]")):
        return None
    try:
        return stringify(parse_json(held))
    except NotJson:
        return None


def _items_of_arrays(values: pl.DataFrame) -> pl.DataFrame:
    """Return (value, items) of the distinct arrays among the values."""
    arrays = values.filter(pl.col("value").str.starts_with("["))
    texts = arrays.group_by(text="value").agg(pl.col("rewritten").any())
    exploded = explode_arrays(texts.select("text")).join(texts, on="text")
    spoiled = exploded.filter("rewritten").explode("items")
    rewritten = (
        spoiled.with_columns(items=canonical(spoiled["items"]))
        .group_by("text", maintain_order=True)
        .agg("items")
    )
    return pl.concat(
        [
            exploded.filter(~pl.col("rewritten")).select(value="text", items="items"),
            rewritten.select(value="text", items="items"),
        ]
    )


def _unite(
    values: pl.DataFrame,
    observations: pl.DataFrame,
    items: pl.DataFrame,
    conversions: Sequence[FieldRule],
) -> pl.DataFrame:
    """Return (group, key, conversion, value, source, first) of values that may hold repeats."""
    stated = values.join(observations.select("row", "source_priority"), on="row")
    at_top = pl.col("source_priority") == pl.col("source_priority").max().over(_GROUP)
    contributions = stated.filter(at_top & (pl.col("value") != "null")).sort("place")
    fields = values.group_by(_GROUP).agg(pl.col("conversion").first(), first=pl.col("place").min())
    sources = contributions.group_by(_GROUP, maintain_order=True).agg("source")
    united_items = _without_repeats(_items(contributions, items, conversions))
    return (
        fields.join(sources, on=_GROUP, how="left")
        .join(united_items, on=_GROUP, how="left")
        .with_columns(
            pl.col("source").list.join(",").fill_null(""), pl.col("value").fill_null("[]")
        )
        .select(*_GROUP, "conversion", "value", "source", "first")
    )


def _items(
    contributions: pl.DataFrame, items: pl.DataFrame, conversions: Sequence[FieldRule]
) -> pl.DataFrame:
    """Return (group, key, order, item), one row per item, in the order met."""
    is_array = pl.col("value").str.starts_with("[")
    of_arrays = contributions.filter(is_array).join(items, on="value")
    single = convert_values(contributions.filter(~is_array), conversions)
    of_others = single.with_columns(items=pl.concat_list("value"))
    return (
        pl.concat([part.select(*_GROUP, "place", "items") for part in (of_arrays, of_others)])
        .sort("place")
        .explode("items")
        .select(*_GROUP, order=pl.int_range(pl.len()), item="items")
    )


def _without_repeats(items: pl.DataFrame) -> pl.DataFrame:
    """Return (group, key, value): the text of the array of distinct items."""
    is_container = pl.col("item").str.contains(r"^[\[{]")
    distinct = items.group_by(*_GROUP, "item", identity=pl.when(is_container).then("order")).agg(
        pl.col("order").min()
    )
    return (
        distinct.sort("order")
        .group_by(_GROUP, maintain_order=True)
        .agg(finite(pl.col("item")))
        .select(*_GROUP, value=pl.format("[{}]", pl.col("item").list.join(",")))
    )
