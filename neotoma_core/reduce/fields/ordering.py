"""The total order of a reduction: by subject and user, latest observation first, then by id."""

import itertools
from collections.abc import Mapping
from typing import Final

import polars as pl

from neotoma_core.neotoma.json import collation_key, instant_ms, stringify
from neotoma_core.reduce.fields.texts import map_texts

_WRITTEN_INSTANT: Final = (
    r"^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$"
)
_WRITTEN_ID: Final = r"^[0-9a-f-]+$"

_TIES: Final = {"id_key": False, "observed_at": True, "id": False}
"""What orders observations of one instant: their ids and, if ``localeCompare`` calls two ids equal,
the order in which Neotoma's merge reads them."""


def in_order(observations: pl.DataFrame, subject: str) -> pl.DataFrame:
    """Sort observations by subject and user, latest first, and number them.

    Args:
        observations: with ``id``, ``observed_at``, ``user_id`` and the column ``subject``; only
            ``observed_at`` and ``user_id`` may be null.
        subject: ``entity_id`` or ``relationship_key``.

    Returns:
        The same rows with ``row`` (their place in the order), ``subject`` (the number of their
        entity or relationship), ``group`` (the number of what one user observed of it),
        ``instant`` (UTC milliseconds; null where JavaScript reads no date), ``id_key`` (sorts,
        within a group, as JavaScript's ``localeCompare`` sorts ids), ``source`` (the id as it
        stands in a JSON string) and ``as_written`` (time and id have the form Neotoma gives them,
        so their texts sort as they do).

    Upstream: observation_reducer.ts, the sort before everything else.
    """
    keyed = _with_id_keys(_with_instants(observations), subject)
    hashed = keyed.with_columns(hash=pl.col(subject).hash(), user_hash=pl.col("user_id").hash())
    has_users = bool(hashed.select(pl.col("user_hash").max() != pl.col("user_hash").min()).item())
    users = {"user_hash": False} if has_users else {}
    ordered = hashed[places(hashed, {"hash": False, **users, "instant": True}, _TIES)]
    new_subject, new_group = _starts(subject), _starts(subject, "user_id")
    collided = (new_subject.sum() != _starts("hash").sum()) | (
        new_group.sum() != _starts("hash", "user_hash").sum()
    )
    if ordered.select(collided).item():
        names = {subject: False, "user_id": False}
        ordered = hashed[places(hashed, {**names, "instant": True}, _TIES)]
    return (
        ordered.drop("hash", "user_hash")
        .with_row_index("row")
        .with_columns(subject=new_subject.cum_sum(), group=new_group.cum_sum())
    )


def _starts(*columns: str) -> pl.Expr:
    """Tell the rows that differ in a column from the one before; the first does not count."""
    differs = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in columns)
    return differs & (pl.int_range(pl.len()) > 0)


def places(
    observations: pl.DataFrame, numbers: Mapping[str, bool], texts: Mapping[str, bool]
) -> pl.Series:
    """Return where to take observations from, so that they come in order.

    Few tie on all numbers, so only those are compared by their texts.

    Args:
        observations: with the columns to order by.
        numbers: columns to order by first, to whether they descend; nulls are last.
        texts: columns that order the ties, to whether they descend.
    """
    keys = pl.col(*numbers)
    by_numbers = observations.select(
        pl.arg_sort_by(*numbers, descending=list(numbers.values()), nulls_last=True)
    ).to_series()
    as_before = pl.all_horizontal(keys.eq_missing(keys.shift(1)))
    same = observations.select(keys.gather(by_numbers)).select(as_before).to_series()
    tied = same | same.shift(-1, fill_value=False)
    if not tied.any():
        return by_numbers
    among = by_numbers.filter(tied)
    order = {**numbers, **texts}
    by_texts = pl.arg_sort_by(*order, descending=list(order.values()), nulls_last=True)
    settled = among.gather(
        observations.select(pl.col(*order).gather(among)).select(by_texts).to_series()
    )
    return by_numbers.scatter(tied.arg_true(), settled)


def bucket_of(group: pl.Expr, buckets: int) -> pl.Expr:
    """Return which of so many buckets a group falls into; the same within one process."""
    return group.hash() % buckets


def slices(ordered: pl.DataFrame, rows: int) -> list[pl.DataFrame]:
    """Cut ordered observations between subjects, into slices of about so many rows."""
    subjects = ordered["subject"]
    at_border = subjects.gather_every(rows, offset=rows).unique(maintain_order=True)
    borders = [0, *subjects.search_sorted(at_border, side="left"), ordered.height]
    pairs = itertools.pairwise(dict.fromkeys(borders))
    return [ordered[start:end] for start, end in pairs] or [ordered]


def _with_instants(observations: pl.DataFrame) -> pl.DataFrame:
    """Add ``instant`` and ``as_written``; the latter for both time and id."""
    text = pl.col("observed_at")
    written = text.str.contains(_WRITTEN_INSTANT)
    parsed = text.str.to_datetime("%Y-%m-%dT%H:%M:%S.%3fZ", time_unit="ms", strict=False)
    marked = observations.with_columns(
        instant=pl.when(written).then(parsed.cast(pl.Int64)),
        id_as_written=pl.col("id").str.contains(_WRITTEN_ID),
    ).with_columns(as_written=pl.col("instant").is_not_null() & pl.col("id_as_written"))
    unread = pl.col("instant").is_null()
    others = marked.filter(unread)["observed_at"].unique()
    if others.is_empty():
        return marked
    instants = pl.DataFrame(
        {"observed_at": others, "other": [instant_ms(text) for text in others]},
        schema_overrides={"other": pl.Int64},
    )
    return marked.join(instants, on="observed_at", how="left", nulls_equal=True).with_columns(
        pl.coalesce("instant", "other").alias("instant")
    )


def _with_id_keys(observations: pl.DataFrame, subject: str) -> pl.DataFrame:
    """Add ``source``, and ``id_key``: the id itself where bytes order as localeCompare does."""
    ids = pl.col("id")
    odd_groups = observations.filter(~pl.col("id_as_written")).select(pl.col(subject).unique())
    if odd_groups.is_empty():
        return observations.with_columns(id_key=ids, source=ids)
    in_odd_group = pl.col(subject).is_in(odd_groups[subject].implode())
    odd = observations.filter(in_odd_group)
    return pl.concat(
        [
            observations.filter(~in_odd_group).with_columns(id_key=ids, source=ids),
            odd.with_columns(
                id_key=map_texts(odd["id"], collation_key),
                source=map_texts(odd["id"], lambda text: stringify(text)[1:-1]),
            ),
        ]
    )
