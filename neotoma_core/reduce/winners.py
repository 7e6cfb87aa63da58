"""The value each field keeps, for every strategy that picks one observation.

Every function takes values and returns (group, key, first, place): ``first`` is the place where
the field is first met, which orders the fields of a snapshot; ``place`` the place of its value.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from neotoma_core.reduce.rules import (
    LATEST,
    PRIORITY,
    PRIORITY_ID,
    SPECIFICITY,
    SPECIFICITY_PRIORITY,
)

_GROUP: Final = ("group", "key")
_PLACES: Final = 2**32

_BY_PRIORITY: Final = {"source_priority": True, "source_rank": False}
ORDERS: Final[Mapping[str, Mapping[str, bool]]] = {
    PRIORITY: {**_BY_PRIORITY, "row": False},
    PRIORITY_ID: {**_BY_PRIORITY, "id_key": False, "row": False},
    SPECIFICITY: {"specificity_score": True, "source_rank": False, "row": False},
    SPECIFICITY_PRIORITY: {"specificity_score": True, **_BY_PRIORITY, "row": False},
}
"""Total orders of the observations of a group, best first: column to descending. ``row`` is the
order of time and id. Upstream: observation_reducer.ts, highestPriority and mostSpecific."""


def winners(values: pl.DataFrame, observations: pl.DataFrame) -> pl.DataFrame:
    """Pick one value per field.

    Args:
        values: (place, row, group, contested, key, pick), none of them to be united.
        observations: (row, source_priority, source_rank, specificity_score, id_key), none null.
    """
    is_latest = pl.col("pick") == LATEST
    contested = values.filter("contested")
    return pl.concat(
        [
            uncontested(values.filter(~pl.col("contested"))),
            latest(contested.filter(is_latest)),
            *(
                best(contested.filter(pl.col("pick") == pick), observations, order)
                for pick, order in ORDERS.items()
            ),
        ]
    )


def uncontested(values: pl.DataFrame) -> pl.DataFrame:
    """Keep every value of the groups that have a single observation."""
    return values.select(*_GROUP, first="place", place="place")


def latest(values: pl.DataFrame) -> pl.DataFrame:
    """Keep the value met first: the latest, by time and then by id."""
    return values.group_by(_GROUP).agg(first=pl.col("place").min(), place=pl.col("place").min())


def best(
    values: pl.DataFrame, observations: pl.DataFrame, order: Mapping[str, bool]
) -> pl.DataFrame:
    """Keep the value of the observation that ``order`` puts first.

    Every observation gets its rank as one integer, so that the reduction compares integers.
    """
    ranked = (
        observations.join(values.select("row"), on="row", how="semi")
        .sort(list(order), descending=list(order.values()))
        .select("row", rank=pl.int_range(pl.len(), dtype=pl.Int64))
    )
    rank_then_place = pl.col("rank") * _PLACES + pl.col("place")
    return (
        values.join(ranked, on="row")
        .group_by(_GROUP)
        .agg(
            first=pl.col("place").min(),
            place=(rank_then_place.min() % _PLACES).cast(pl.UInt32),
        )
    )


def latest_stated(values: pl.DataFrame) -> pl.DataFrame:
    """Keep the latest value that is not null; ``place`` is null where there is none."""
    stated = pl.col("value") != "null"
    return values.group_by(_GROUP).agg(
        first=pl.col("place").min(), place=pl.col("place").filter(stated).min()
    )
