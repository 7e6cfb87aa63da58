"""Observations that were sent again: how many, and which entities their two times matter to."""

from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class Reingested:
    """``observations`` sent again, each counted once; ``entities_differ``: see the report."""

    observations: int
    entities_differ: int


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
        _states(reduce_live(_of(rows, affected), rules, nobody).snapshots)
        for rows in (
            with_unread(target, "observations", merged, "entity_id", affected["entity_id"])
            for merged in (chosen.merged, otherwise.merged)
        )
    )
    differ = sum(now.get(entity) != then.get(entity) for entity in affected["entity_id"])
    return Reingested(chosen.resent.height, differ)


def _of(merged: pl.DataFrame, entities: pl.DataFrame) -> pl.DataFrame:
    return as_they_will_lie(merged).join(entities, on="entity_id", how="semi")


def _states(snapshots: pl.DataFrame) -> dict[str, object]:
    """Return each entity's snapshot by value: the order of its keys is no difference."""
    return {
        entity: orjson.loads(snapshot)
        for entity, snapshot in snapshots.select("entity_id", "snapshot").iter_rows()
    }
