"""The log as it was: observations up to an instant, by when they happened or were known."""

import polars as pl

from neotoma_core.neotoma.times import Instants, instants


def up_to(observations: pl.DataFrame, end: Instants) -> pl.DataFrame:
    """Return the observations up to ``end``: (observed_at, created_at, ...), order kept.

    Times compare as instants, as JavaScript reads them. What has no readable time is not known to
    lie before any end.
    """
    limits = (("observed_at", end.observed), ("created_at", end.known))
    for column, limit in limits:
        if limit is not None:
            observations = observations.filter(instants(observations[column]) <= limit)
    return observations
