"""Whose snapshot it is, for many at once: users share ids, and Neotoma has one row for each id.

The same rule as in ``exact_users``, where it is explained.
"""

from collections.abc import Sequence

import polars as pl

from neotoma_core.neotoma.frames import ROWID

_NEWEST = ("observed_at", "created_at", ROWID)


def no_owners(subject: str) -> pl.DataFrame:
    """Return the owners of snapshots where none is there: (``subject``, user_id)."""
    return pl.DataFrame(schema={subject: pl.String, "user_id": pl.String})


def choose_groups(
    ordered: pl.DataFrame, subject: str, reduced: pl.Series, unread: pl.Series, owners: pl.DataFrame
) -> tuple[pl.Series, pl.Series]:
    """Choose among the users of each entity or relationship whose snapshot it has.

    Args:
        ordered: observations; see ``ordering``.
        subject: ``entity_id`` or ``relationship_key``.
        reduced: the groups that have a snapshot.
        unread: the groups none of whose observations can be read, or whose reduction fails.
        owners: (``subject``, user_id) of the rows that are there, as JavaScript reads them.

    Returns:
        The chosen groups, one at most of each subject; and the subjects whose owner is unread, or
        everybody:
        nothing better than the row that is there is known.
    """
    second = (pl.col("group") != pl.col("group").shift(1)) & (
        pl.col("subject") == pl.col("subject").shift(1)
    )
    shared = ordered.filter(second)["subject"].unique()
    if shared.is_empty():
        lost = ordered.filter(pl.col("group").is_in(unread.implode()))["subject"].unique()
        return reduced, lost
    claims = _claims(
        ordered.filter(pl.col("subject").is_in(shared.implode())), subject, owners
    ).with_columns(
        is_reduced=pl.col("group").is_in(reduced.implode()),
        is_unread=pl.col("group").is_in(unread.implode()),
    )
    kept = claims.filter("is_unread", "is_owner")["subject"]
    best = (
        claims.filter("is_reduced", ~pl.col("subject").is_in(kept.implode()))
        .group_by("subject", maintain_order=True)
        .agg(pl.col("group").first())
    )
    alone = ordered.filter(~pl.col("subject").is_in(shared.implode()))
    single = alone.filter(pl.col("group").is_in(reduced.implode()))["group"].unique()
    lost = claims.filter("is_unread").join(best, on="subject", how="anti")["subject"]
    lost_alone = alone.filter(pl.col("group").is_in(unread.implode()))["subject"]
    return (
        pl.concat([single, best["group"]]),
        pl.concat([kept, lost, lost_alone]).unique(),
    )


def _claims(observations: pl.DataFrame, subject: str, owners: pl.DataFrame) -> pl.DataFrame:
    """Return (subject, group, is_owner), the best claim of each subject first."""
    newest = observations.sort(_NEWEST, descending=True, nulls_last=True)
    claims = newest.group_by("group", maintain_order=True).agg(
        pl.col("subject", subject, "user_id").first()
    )
    owned = owners.select(subject, "user_id", is_owner=pl.lit(value=True)).unique()
    beside = claims.join(
        owned, on=[subject, "user_id"], how="left", nulls_equal=True, maintain_order="left"
    )
    ranked = beside.with_columns(pl.col("is_owner").fill_null(value=False))
    order: Sequence[pl.Expr] = [pl.col("subject"), ~pl.col("is_owner"), pl.col("user_id").is_null()]
    return ranked.sort(order, maintain_order=True)
