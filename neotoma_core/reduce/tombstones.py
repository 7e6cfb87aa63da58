"""Entities and relationships that end in a tombstone."""

import polars as pl

from neotoma_core.reduce.fields.rules import default_source_rank
from neotoma_core.reduce.fields.values import rows_stating


def find_deleted_groups(observations: pl.DataFrame, exploded: pl.DataFrame) -> pl.Series:
    """Return the groups whose leading observation says ``"_deleted": true``.

    The highest source priority leads, then the best observation source by Neotoma's own order,
    whatever the schema says, then the latest. No priority counts as 0. So a correction made after
    a deletion revives.

    Args:
        observations: (row, group, source_priority, observation_source).
        exploded: (row, shape, values); see ``objects``.

    Upstream: observation_reducer.ts, the deletion check.
    """
    tombstones = rows_stating(exploded, "_deleted", ("true",))
    suspects = observations.join(tombstones, on="row", how="semi").select("group").unique()
    leading = (
        observations.join(suspects, on="group", how="semi")
        .with_columns(
            pl.col("source_priority").fill_null(0),
            source_rank=default_source_rank(pl.col("observation_source")),
        )
        .sort(
            "group", "source_priority", "source_rank", "row", descending=[False, True, False, False]
        )
        .group_by("group", maintain_order=True)
        .agg(pl.col("row").first())
    )
    return leading.join(tombstones, on="row", how="semi")["group"]


def dead_subjects(observations: pl.DataFrame, exploded: pl.DataFrame) -> pl.Series:
    """Return the subjects whose leading observation says ``_deleted``: they are not live.

    All users' observations count. The highest source priority leads, then the latest time by its
    text, then the lowest id. Said is what SQLite takes for true.

    Args:
        observations: (row, id, subject, source_priority, observed_at) of relationships.
        exploded: (row, shape, values); see ``objects``.

    Upstream: sqlite_client.ts, backfillRelationshipLiveness.
    """
    tombstones = rows_stating(exploded, "_deleted", ("true", "1", '"true"'))
    suspects = observations.join(tombstones, on="row", how="semi").select("subject").unique()
    leading = (
        observations.join(suspects, on="subject", how="semi")
        .sort(
            "source_priority", "observed_at", "id", descending=[True, True, False], nulls_last=True
        )
        .group_by("subject", maintain_order=True)
        .agg(pl.col("row").first())
    )
    return leading.join(tombstones, on="row", how="semi")["subject"]
