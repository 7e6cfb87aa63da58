"""Entities without an observation that no merge and no split explains."""

import polars as pl


def hollow_entities(
    entities: pl.DataFrame, observed: pl.Series, merged: pl.Series, split: pl.Series
) -> pl.DataFrame:
    """Return the rows of ``entities`` (id, created_at, merged_to_entity_id) that are hollow.

    ``observed``: ids that observations name; ``merged``: those merged into another entity;
    ``split``: those a split made, whose observations it may have left where they were.
    """
    pointer = pl.col("merged_to_entity_id").fill_null("")
    alone = entities.drop_nulls("id").filter(pointer == "")
    for explained in (observed, merged, split):
        alone = alone.join(
            explained.rename("id").to_frame(), on="id", how="anti", maintain_order="left"
        )
    return alone
