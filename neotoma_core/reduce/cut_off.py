"""The log as it was: observations up to an instant, by when they happened or were known."""

from dataclasses import dataclass

import polars as pl

from neotoma_core.times import instants


@dataclass(frozen=True, slots=True)
class Instants:
    """Ends of the log, in UTC milliseconds, both included; None where there is none.

    ``observed``: by when it happened; ``known``: by when it was in the database.
    """

    observed: int | None = None
    known: int | None = None


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
