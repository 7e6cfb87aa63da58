"""Declared conversions, applied to the values that do not have the type of their field."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from neotoma_core.neotoma.converters import convert
from neotoma_core.neotoma.json import number_text, parse_json, stringify
from neotoma_core.neotoma.schemas import FieldRule

_INFINITIES: Final = ("Infinity", "-Infinity")
_KIND_OF_FIRST: Final[dict[str, str]] = {
    '"': "string",
    "[": "array",
    "{": "object",
    "t": "boolean",
    "f": "boolean",
    "n": "null",
}


def convert_values(values: pl.DataFrame, conversions: Sequence[FieldRule]) -> pl.DataFrame:
    """Return the values with ``value`` as their field rules convert it; the order may change.

    What becomes infinite is distinguished from null until ``finite``.

    Args:
        values: with ``conversion`` (place of the rule in ``conversions``, null for none) and
            ``value`` (canonical JSON text).
        conversions: field rules that have converters.

    Upstream: observation_reducer.ts, convertWinner; a null is an explicit clear and stays.
    """
    if not conversions:
        return values
    types = pl.Series([rule.type for rule in conversions], dtype=pl.String)
    kind = pl.col("value").str.head(1).replace_strict(_KIND_OF_FIRST, default="number")
    typed = pl.lit(types).gather(pl.col("conversion"))
    has_type = (kind == typed) | ((kind == "string") & (typed == "date")) | (kind == "null")
    differs = pl.col("conversion").is_not_null() & ~has_type
    pairs = values.filter(differs).select("conversion", "value").unique()
    if pairs.is_empty():
        return values
    results = pairs.with_columns(
        result=pl.Series(
            [_convert(text, conversions[number]) for number, text in pairs.iter_rows()],
            dtype=pl.String,
        )
    )
    joined = values.join(results, on=["conversion", "value"], how="left")
    return joined.with_columns(value=pl.coalesce("result", "value")).drop("result")


def finite(value: pl.Expr) -> pl.Expr:
    """Return converted values as JSON has them: it writes null for infinity."""
    return value.replace(_INFINITIES, "null")


def _convert(text: str, rule: FieldRule) -> str:
    value = convert(parse_json(text), rule)
    return number_text(value) if isinstance(value, float) else stringify(value)
