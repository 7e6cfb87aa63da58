"""Observations that were sent again: how many, and which entities their two times matter to."""

from dataclasses import dataclass, field, replace
from typing import Final

import orjson
import polars as pl

from neotoma_core.lineage.offers import as_they_will_lie
from neotoma_core.merge.plan import MergePlan, merge_one
from neotoma_core.merge.policy import ReingestedMode
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.reduce.users import no_owners
from neotoma_core.snapshots.reading import Rules, reduce_live
from neotoma_core.sources.extract import Extract
from neotoma_core.sources.unread import with_unread

_BOTH: Final = {"entity_id": pl.String, "kept": pl.String, "other": pl.String}
ENTITIES: Final[dict[str, pl.DataType]] = {
    "entity_id": pl.String(),
    "entity_type": pl.String(),
    "observations": pl.List(pl.String()),
    "differs": pl.Boolean(),
    "kept": pl.String(),
    "other": pl.String(),
}
"""One row per entity with observations that were sent again: whether the other choice makes another
snapshot of it, and then both; null where there is none."""


@dataclass(frozen=True, slots=True)
class Reingested:
    """``observations`` sent again, each counted once; ``entities_differ``: see the report.

    ``entities``: ``ENTITIES``.
    """

    observations: int
    entities_differ: int
    entities: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ENTITIES))


def count_reingested(merge: MergePlan, rules: Rules, target: Extract | None) -> Reingested:
    """Count the observations sent again, and the entities that the other choice would change."""
    chosen = merge.tables["observations"]
    if chosen.resent.is_empty():
        return Reingested(0, 0)
    policy = merge.rules.policy
    other: ReingestedMode = "by-mode" if policy.reingested == "keep-earliest" else "keep-earliest"
    choosing = replace(merge.rules, policy=replace(policy, reingested=other))
    otherwise = merge_one(BY_NAME["observations"], merge.offers, choosing)
    times = ["id", "observed_at", "created_at"]
    affected = (
        chosen.merged.join(otherwise.merged.select(times), on=times, how="anti", nulls_equal=True)
        .select("entity_id")
        .unique()
    )
    nobody = no_owners("entity_id")
    now, then = (
        _texts(reduce_live(_of(rows, affected), rules, nobody).snapshots)
        for rows in (
            with_unread(target, "observations", merged, "entity_id", affected["entity_id"])
            for merged in (chosen.merged, otherwise.merged)
        )
    )
    differing = [e for e in affected["entity_id"] if _state(now.get(e)) != _state(then.get(e))]
    sent = chosen.merged.join(chosen.resent, left_on="id", right_on="key", how="semi")
    entities = (
        sent.group_by("entity_id")
        .agg(pl.col("entity_type").first(), observations=pl.col("id").sort())
        .sort("entity_id")
        .with_columns(differs=pl.col("entity_id").is_in(differing))
    )
    told = [(entity, now.get(entity), then.get(entity)) for entity in differing]
    both = pl.DataFrame(told, schema=_BOTH, orient="row")
    listed = entities.join(both, on="entity_id", how="left", maintain_order="left")
    return Reingested(chosen.resent.height, len(differing), listed.select(*ENTITIES))


def _of(merged: pl.DataFrame, entities: pl.DataFrame) -> pl.DataFrame:
    return as_they_will_lie(merged).join(entities, on="entity_id", how="semi")


def _texts(snapshots: pl.DataFrame) -> dict[str, str]:
    return dict(snapshots.select("entity_id", "snapshot").iter_rows())


def _state(snapshot: str | None) -> object:
    """Return a snapshot by value: the order of its keys does not matter."""
    return None if snapshot is None else orjson.loads(snapshot)
