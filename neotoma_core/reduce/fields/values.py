"""Field values: one row per observation and field it states that its schema knows."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.neotoma.json import stringify
from neotoma_core.reduce.fields.engine import keys_of
from neotoma_core.reduce.fields.rules import LATEST, PICK

_OF_OBSERVATION: Final = ("row", "group", "contested", "source", "rewritten")
_INDEX: Final = r"^(?:0|[1-9]\d{0,9})$"
_INDEX_END: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class FieldValues:
    """What observations state, field by field.

    Attributes:
        values: (place, row, group, contested, source, key, pick, conversion, value, rewritten),
            by ``place``, which counts from 0: by group, latest observation first, then as the
            observation states its fields. ``value`` is JSON text; an explicit null is the text
            ``null``.
        keys: (key, name, label, index), by ``key``, which counts from 0: ``label`` is the name as
            JSON text; ``index`` its number where JavaScript takes it for an array index.
    """

    values: pl.DataFrame
    keys: pl.DataFrame


def field_values(
    observations: pl.DataFrame, exploded: pl.DataFrame, fields: pl.DataFrame
) -> FieldValues:
    """State the values of observations field by field.

    Args:
        observations: (row, group, contested, source, schema), sorted by row; without a schema
            every field is kept and picked as ``LATEST``.
        exploded: (row, shape, values, rewritten) of the same rows; see ``objects``.
        fields: (schema, name, pick, conversion); see ``rules``.
    """
    has_fields = pl.col("values").list.len() > 0
    stated = observations.join(exploded, on="row", maintain_order="left").filter(has_fields)
    layouts = stated.select("schema", "shape").unique().with_row_index("layout")
    named = layouts.with_columns(name=keys_of(pl.col("shape"))).explode("name")
    keys = _keys(named["name"])
    known = _with_rules(named, fields).join(keys.select("key", "name"), on="name")
    members = known.sort("layout", "position").group_by("layout", maintain_order=True)
    lists = layouts.join(members.agg("key", "pick", "conversion"), on="layout")
    values = (
        stated.join(lists, on=["schema", "shape"], nulls_equal=True, maintain_order="left")
        .select(*_OF_OBSERVATION, "key", "pick", "conversion", value="values")
        .explode("key", "pick", "conversion", "value")
        .filter(pl.col("pick").is_not_null())
        .with_row_index("place")
    )
    return FieldValues(values, keys)


def _with_rules(named: pl.DataFrame, fields: pl.DataFrame) -> pl.DataFrame:
    """Return (layout, position, name, pick, conversion); ``pick`` is null for unknown fields."""
    positioned = named.with_row_index("position")
    return positioned.join(fields, on=["schema", "name"], how="left").select(
        "layout",
        "position",
        "name",
        pl.when(pl.col("schema").is_null())
        .then(pl.lit(LATEST, dtype=PICK))
        .otherwise("pick")
        .alias("pick"),
        "conversion",
    )


def _keys(names: pl.Series) -> pl.DataFrame:
    """Number distinct field names."""
    distinct = names.unique().alias("name")
    is_index = pl.col("name").str.contains(_INDEX)
    number = pl.when(is_index).then("name").cast(pl.Int64, strict=False)
    return pl.DataFrame(
        [distinct, pl.Series("label", [stringify(name) for name in distinct], dtype=pl.String)]
    ).select(
        "name",
        "label",
        key=pl.int_range(pl.len(), dtype=pl.UInt32),
        index=pl.when(number < _INDEX_END).then(number),
    )


def rows_stating(exploded: pl.DataFrame, name: str, values: Collection[str]) -> pl.DataFrame:
    """Return (row) of the objects in which the field ``name`` has one of the JSON values."""
    names = keys_of(pl.col("shape"))
    position = names.list.eval(pl.element() == name).list.arg_max()
    shapes = (
        exploded.select(pl.col("shape").unique())
        .filter(names.list.contains(name))
        .with_columns(position=position)
    )
    stating = exploded.join(shapes, on="shape")
    stated = pl.col("values").list.get(pl.col("position"))
    return stating.filter(stated.is_in(values)).select("row")
