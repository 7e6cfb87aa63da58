"""What observations state: one row per observation and field, the history of every value."""

from typing import Final

import polars as pl

from neotoma_core.export.names import field_text
from neotoma_core.export.redaction import Redactions, hash_value
from neotoma_core.export.typed import decode_strings
from neotoma_core.neotoma.json import parse_json, stringify
from neotoma_core.reduce.fields.engine import keys_of
from neotoma_core.reduce.fields.objects import take_apart

MEMBERS: Final = {"row": pl.UInt32(), "field": pl.String(), "json": pl.String()}
_KINDS: Final = {
    '"': "string",
    "t": "boolean",
    "f": "boolean",
    "n": "null",
    "[": "array",
    "{": "object",
}


def members(texts: pl.DataFrame) -> pl.DataFrame:
    """Take JSON objects apart: (row, text) to (row, field, json), as they stand in each object.

    What is not an object has no members. If a field is given twice, the last value counts.
    """
    rows = texts.select(pl.col("row").cast(pl.UInt32), "text")
    apart = take_apart(rows)
    has_fields = pl.col("values").list.len() > 0
    stated = apart.exploded.filter(has_fields).select(
        "row", field=keys_of(pl.col("shape")), json="values"
    )
    quick = stated.explode("field", "json")
    slow = rows.join(apart.beyond, on="row", how="semi")
    found = [(row, name, json) for row, text in slow.iter_rows() for name, json in _read(text)]
    others = pl.DataFrame(found, schema=MEMBERS, orient="row")
    return pl.concat([quick.cast(MEMBERS), others])  # type: ignore[arg-type]  # types by name


def redact(values: pl.DataFrame, redactions: Redactions, salt: bytes) -> pl.DataFrame:
    """Return (entity_type, field, json, …) without what is redacted; hashes are JSON strings."""
    pairs = values.select("entity_type", "field").unique()
    hows = [redactions.of(str(owner), str(name)) for owner, name in pairs.iter_rows()]
    if not any(hows):
        return values
    ruled = pairs.with_columns(_how=pl.Series(hows, dtype=pl.String))
    kept = values.join(
        ruled, on=["entity_type", "field"], how="left", nulls_equal=True, maintain_order="left"
    ).filter(pl.col("_how").is_null() | (pl.col("_how") != "drop"))
    is_hashed = pl.col("_how") == "hash"
    distinct = kept.filter(is_hashed)["json"].unique()
    told = pl.Series([f'"{hash_value(text, salt)}"' for text in distinct], dtype=pl.String)
    replaced = pl.col("json").replace(distinct, told)
    return kept.with_columns(json=pl.when(is_hashed).then(replaced).otherwise("json")).drop("_how")


def as_values(stated: pl.DataFrame) -> pl.DataFrame:
    """Return (…, json) with ``value``, plain text, and ``value_type`` in its place."""
    first = pl.col("json").str.head(1)
    kind = first.replace_strict(_KINDS, default="number", return_dtype=pl.String)
    text = decode_strings(stated["json"]).alias("_text")
    is_null = pl.col("json") == "null"
    value = pl.when(is_null).then(None).otherwise(pl.coalesce("_text", "json"))
    return (
        stated.with_columns(text).with_columns(value=value, value_type=kind).drop("_text", "json")
    )


def _read(text: str) -> list[tuple[str, str]]:
    value = parse_json(text)
    if not isinstance(value, dict):
        return []
    # Of two names that are one as text, the last value counts, too.
    return list({field_text(name): stringify(member) for name, member in value.items()}.items())
