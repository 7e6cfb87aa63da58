"""Saying of every snapshot that drifted what Neotoma did or did not do to it."""

from typing import Final

import polars as pl

from neotoma_core.neotoma.encryption.columns import open_rows
from neotoma_core.rebuild.reading import Reading
from neotoma_core.snapshots.deciding import Stored
from neotoma_core.snapshots.explaining import UNKNOWN, explain_entities, explain_relationships
from neotoma_core.snapshots.reading import complete_rows
from neotoma_core.sqlite.picked_rows import read_picked

_EXPLAINED: Final = 1_000  # of a bucket: each is reduced again in several ways
_LOG: Final = {
    "entity_snapshots": "observations",
    "relationship_snapshots": "relationship_observations",
}


def explain_drift(reading: Reading, stored: Stored, drift: pl.DataFrame) -> pl.DataFrame:
    """Return ``DRIFT`` with the reason of what is missing, stale or miscounted.

    What should not be there has its reason already.
    """
    (key,) = stored.table.key
    asked = drift.filter(pl.col("reason").is_null()).drop_nulls("key").head(_EXPLAINED)
    if asked.is_empty():
        return drift
    rows = _log_of(reading, _LOG[stored.table.name], key, asked["key"])
    explain = explain_entities if key == "entity_id" else explain_relationships
    reasons = explain(rows, stored.only(asked["key"]), reading.history)
    unknown = pl.col("reason").is_null()
    told = pl.col("key").replace_strict(reasons, default=UNKNOWN, return_dtype=pl.String)
    return drift.with_columns(pl.when(unknown).then(told).otherwise("reason").alias("reason"))


def _log_of(reading: Reading, name: str, key: str, keys: pl.Series) -> pl.DataFrame:
    """Return all readable rows of the log of some keys, with every column."""
    known = reading.stored[name].known
    rows = read_picked(reading.whole, known, reading.stored[name].columns, key, keys.to_list())
    kept = reading.erased.without_counting().without(name, rows)
    if reading.key is not None and reading.spilled[name].sealed:
        kept = open_rows(known, kept, reading.key, reading.target)
    return complete_rows(name, kept)
