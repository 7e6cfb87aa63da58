"""The value each field keeps, for every strategy that picks one observation.

Every function takes values and returns (group, key, first, place): ``first`` is the place where
the field is first met, which orders the fields of a snapshot; ``place`` the place of its value.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from neotoma_core.neotoma.times import instants
from neotoma_core.reduce.fields.ordering import places
from neotoma_core.reduce.fields.rules import (
    PRIORITY,
    PRIORITY_ID,
    RECENCY,
    SPECIFICITY,
    SPECIFICITY_PRIORITY,
)

_GROUP: Final = ("group", "key")
_PLACES: Final = 2**32

_BY_PRIORITY: Final = {"source_priority": True, "source_rank": False}
_ORDERS: Final[Mapping[str, Mapping[str, bool]]] = {
    PRIORITY: _BY_PRIORITY,
    PRIORITY_ID: _BY_PRIORITY,
    RECENCY: {**_BY_PRIORITY, "instant": True},
    SPECIFICITY: {"specificity_score": True, "source_rank": False},
    SPECIFICITY_PRIORITY: {"specificity_score": True, **_BY_PRIORITY},
}
_TIES: Final[Mapping[str, Mapping[str, bool]]] = {
    PRIORITY_ID: {"id_key": False, "row": False},
    RECENCY: {"created": True, "id_key": False, "row": False},
}
"""Orders of the observations of a group, best first: column to descending. Ties are in the order
of time and id, that of their rows, or by ``_TIES``. Upstream: observation_reducer.ts,
highestPriority and mostSpecific."""


def winners(values: pl.DataFrame, observations: pl.DataFrame) -> pl.DataFrame:
    """Pick one value per field.

    Args:
        values: (place, row, group, contested, key, pick), none of them to be united.
        observations: (row, group, source_priority, source_rank, specificity_score, id_key,
            instant, created_at) of the groups that have several; only created_at may be null.
    """
    is_contested = pl.col("contested")
    uncontested = values.filter(~is_contested).select(*_GROUP, first="place", place="place")
    return pl.concat([uncontested, _best(values.filter(is_contested), observations)])


def _best(values: pl.DataFrame, observations: pl.DataFrame) -> pl.DataFrame:
    """Keep the value of the observation that the field's order puts first.

    Every observation has its rank in that order as one integer, so the reduction compares
    integers. Among equal ranks the place decides: that is the order of time.
    """
    rank_then_place = _rank(values, observations) * _PLACES + pl.col("place")
    group_then_key = pl.col("group").cast(pl.UInt64) * _PLACES + pl.col("key")  # one is quicker
    best = (
        values.select("place", rank_then_place=rank_then_place, group_then_key=group_then_key)
        .group_by("group_then_key")
        .agg(pl.col("place", "rank_then_place").min())
    )
    return best.select(
        group=(pl.col("group_then_key") // _PLACES).cast(values["group"].dtype),
        key=(pl.col("group_then_key") % _PLACES).cast(values["key"].dtype),
        first="place",
        place=(pl.col("rank_then_place") % _PLACES).cast(pl.UInt32),
    )


def _rank(values: pl.DataFrame, observations: pl.DataFrame) -> pl.Expr:
    """Return the rank of each value's observation in the order by which its field picks.

    Fields that pick the latest need no rank: the values come in that order.
    """
    first_row = observations["row"].min()
    ranks = pl.lit(0, dtype=pl.Int64)
    for pick in values["pick"].unique():
        if pick in _ORDERS:
            by_row = pl.lit(_ranks_by_row(observations, pick))
            rank = by_row.gather(pl.col("row") - first_row)
            ranks = pl.when(pl.col("pick") == pick).then(rank).otherwise(ranks)
    return ranks


def _ranks_by_row(observations: pl.DataFrame, pick: str) -> pl.Series:
    """Return the ranks of observations within their groups, at their rows; the first is at 0."""
    numbers = {"group": False, **_ORDERS[pick]}
    if pick == RECENCY:
        observations = observations.with_columns(created=instants(observations["created_at"]))
    if pick in _TIES:
        best_first = observations["row"].gather(places(observations, numbers, _TIES[pick]))
    else:
        total = {**numbers, "row": False}
        in_order = pl.arg_sort_by(*total, descending=list(total.values()))
        best_first = observations.select(pl.col("row").gather(in_order)).to_series()
    first, last = observations.select(first=pl.col("row").min(), last=pl.col("row").max()).row(0)
    ranks = pl.zeros(last - first + 1, dtype=pl.Int64, eager=True)
    return ranks.scatter(best_first - first, pl.int_range(len(best_first), eager=True))


def latest_stated(values: pl.DataFrame) -> pl.DataFrame:
    """Keep the latest value that is not null; ``place`` is null where there is none."""
    stated = pl.col("value") != "null"
    return values.group_by(_GROUP).agg(
        first=pl.col("place").min(), place=pl.col("place").filter(stated).min()
    )
