"""Snapshots and provenance as JSON text, written as JavaScript writes objects."""

from typing import Final

import polars as pl

from neotoma_core.neotoma.json import javascript_trim, parse_json
from neotoma_core.reduce.fields.texts import map_texts

_PROTOTYPE: Final = "__proto__"
"""Assigning to this field of a JavaScript object makes no field: it never reaches a snapshot."""

_NAME_FIELDS: Final = ("canonical_name", "canonicalName", "title", "name")
_NAME_AS_IT_IS: Final = r'^"[!-\[\]-~\u00c0-\u024f](?:[^\\]*[!-\[\]-~\u00c0-\u024f])?"$'


def assemble(kept: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Write the kept fields of every group as two JSON objects.

    Array indices come first, ascending, as in every JavaScript object; then the fields in the
    order in which the observations state them, latest observation first.

    Args:
        kept: (group, key, first, value, source): ``value`` is JSON text, ``source`` the id of the
            observation it comes from, or several, joined by commas.
        keys: (key, label, index); see ``values``.

    Returns:
        (group, snapshot, provenance), for the groups that keep a field.
    """
    key = pl.col("key")
    members = _in_object_order(kept, keys).select(
        pl.col("group").set_sorted(),
        snapshot=pl.lit(keys["label"] + ":").gather(key) + pl.col("value"),
        provenance=pl.lit(keys["label"] + ':"').gather(key) + pl.col("source"),
    )
    objects = members.group_by("group", maintain_order=True).agg("snapshot", "provenance")
    return objects.with_columns(
        snapshot=pl.format("{{{}}}", pl.col("snapshot").list.join(",")),
        provenance=pl.format('{{{}"}}', pl.col("provenance").list.join('",')),
    )


def _in_object_order(kept: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Sort fields by group and then as a JavaScript object has them."""
    if keys["index"].null_count() == keys.height and _PROTOTYPE not in keys["name"]:
        return kept.sort("first")
    index = pl.lit(keys["index"]).gather(pl.col("key"))
    name = pl.lit(keys["name"]).gather(pl.col("key"))
    fields = kept.filter(name != _PROTOTYPE)
    return fields.with_columns(index=index).sort("group", "index", "first", nulls_last=True)


def canonical_names(kept: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Return (group, canonical_name): the first of the name fields that is not blank, trimmed.

    Upstream: local_db_adapter.ts, the canonical name of an entity snapshot.
    """
    preferences = pl.DataFrame(
        {"name": _NAME_FIELDS, "preference": range(len(_NAME_FIELDS))},
        schema_overrides={"preference": pl.UInt8},
    )
    named = kept.join(keys.join(preferences, on="name").select("key", "preference"), on="key")
    texts = named.filter(pl.col("value").str.starts_with('"')).select(
        "group", "preference", "value"
    )
    return (
        _trim_names(texts)
        .filter(pl.col("canonical_name").is_not_null())
        .sort("group", "preference")
        .group_by("group")
        .agg(pl.col("canonical_name").first())
    )


def _trim_names(texts: pl.DataFrame) -> pl.DataFrame:
    """Add ``canonical_name``, what the JSON string ``value`` says, trimmed; null where blank."""
    as_it_is = pl.col("value").str.contains(_NAME_AS_IT_IS)
    others = texts.filter(~as_it_is)
    return pl.concat(
        [
            texts.filter(as_it_is).with_columns(
                canonical_name=pl.col("value").str.strip_prefix('"').str.strip_suffix('"')
            ),
            others.with_columns(canonical_name=map_texts(others["value"], _trim)),
        ]
    )


def _trim(text: str) -> str | None:
    return javascript_trim(str(parse_json(text))) or None
