"""Observations of interpretations, by when they were made.

A store with an ``interpretation`` hangs its observations on another source than its payload: those
of the same user that follow within two minutes may be the payload's.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from neotoma_core.neotoma.json import instant_ms

WITHIN_MS: Final = 120_000


class Interpreted:
    """Looks up the row numbers of observations; rows: (user id, created at, row number)."""

    def __init__(self, rows: Sequence[tuple[str | None, str, int]]) -> None:
        schema = {"user": pl.String, "at": pl.Int64, "place": pl.Int64}
        timed = [(user, instant_ms(created), place) for user, created, place in rows]
        frame = pl.DataFrame(timed, schema=schema, orient="row").drop_nulls("at")
        parts = frame.sort("at", "place").partition_by("user", as_dict=True)
        self._of_user: Final = {
            user: (part["at"], part["place"]) for (user,), part in parts.items()
        }

    def after(self, user: str | None, created_at: str | None) -> list[int]:
        """Return what a user's interpretations made within two minutes of a moment, in order."""
        start = instant_ms(created_at) if created_at else None
        if start is None or user not in self._of_user:
            return []
        at, places = self._of_user[user]
        first, end = (
            at.search_sorted(moment, side="left") for moment in (start, start + WITHIN_MS)
        )
        return places.slice(first, end - first).to_list()
