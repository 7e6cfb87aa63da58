"""The history of one entity: every version of its observations, every value over time."""

from typing import Final

import polars as pl

from neotoma_core.row_versions.columns import ARCHIVED_AT, ROW_HASH

_COMPARED_NOT: Final = ("id", "_rowid", ROW_HASH, ARCHIVED_AT, "_backup")


def versions_of(entity: str, versions: pl.DataFrame, removals: pl.DataFrame) -> pl.DataFrame:
    """Return every version of the observations that were ever the entity's, oldest first.

    ``versions``: archived observations; ``removals``: (_row_hash, _archived_at). Adds ``version``
    (from 1), ``changed`` (the columns in which it differs from the one before), ``until`` (when a
    later version or a removal took its place; null while it stands).
    """
    ids = versions.filter(pl.col("entity_id") == entity).select(pl.col("id").drop_nulls().unique())
    of_these = versions.join(ids, on="id", how="semi").sort("id", ARCHIVED_AT, ROW_HASH)
    compared = [n for n in of_these.columns if n not in _COMPARED_NOT]
    gone = removals.group_by(ROW_HASH).agg(_gone=pl.col(ARCHIVED_AT).max())
    before = {n: pl.col(n).shift(1).over("id", order_by=[ARCHIVED_AT, ROW_HASH]) for n in compared}
    number = pl.int_range(1, pl.len() + 1).over("id", order_by=[ARCHIVED_AT, ROW_HASH])
    differing = [
        pl.when((number > 1) & pl.col(n).ne_missing(before[n])).then(pl.lit(n)) for n in compared
    ]
    following = pl.col(ARCHIVED_AT).shift(-1).over("id", order_by=[ARCHIVED_AT, ROW_HASH])
    stated = of_these.with_columns(
        version=number,
        changed=pl.concat_list(differing).list.drop_nulls(),
        _next=following,
    ).join(gone, on=ROW_HASH, how="left", maintain_order="left")
    ended = pl.when(pl.col("_gone") >= pl.col(ARCHIVED_AT)).then("_gone")
    return (
        stated.with_columns(until=pl.coalesce("_next", ended))
        .drop("_next", "_gone")
        .sort("observed_at", "id", "version", nulls_last=True)
    )


def last_of(entity: str, versions: pl.DataFrame) -> pl.DataFrame:
    """Return the last version of every observation that is the entity's; see ``versions_of``."""
    last = versions.filter(pl.col("version") == pl.col("version").max().over("id"))
    return last.filter(pl.col("entity_id") == entity)
