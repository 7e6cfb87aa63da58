"""Columns of times as Neotoma writes them, read as instants."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from neotoma_core.neotoma.json import instant_ms

_AS_WRITTEN: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


@dataclass(frozen=True, slots=True)
class Instants:
    """Ends of the log, in UTC milliseconds, both included; None where there is none.

    ``observed``: by when it happened; ``known``: by when it was in the database.
    """

    observed: int | None = None
    known: int | None = None


def instants(texts: pl.Series) -> pl.Series:
    """Return UTC milliseconds; null for an invalid time."""
    written = texts.str.contains(_AS_WRITTEN).fill_null(value=False)
    parsed = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="ms", strict=False)
    quick = parsed.cast(pl.Int64).set(~written, None)
    others = texts.filter(quick.is_null()).drop_nulls().unique()
    if others.is_empty():
        return quick
    read = pl.Series([instant_ms(text) for text in others], dtype=pl.Int64)
    return quick.fill_null(texts.replace_strict(others, read, default=None, return_dtype=pl.Int64))


def iso(moment: datetime) -> str:
    """Return a UTC moment as Neotoma writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
