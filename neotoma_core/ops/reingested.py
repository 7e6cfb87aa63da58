"""Observations that were sent again: how many, and which entities their two times matter to."""

from dataclasses import dataclass, replace

import orjson
import polars as pl

from neotoma_core.merge.plan import MergePlan, merge_one
from neotoma_core.merge.policy import ReingestedMode
from neotoma_core.ops.extract import Extract
from neotoma_core.ops.recomputing import of_entities
from neotoma_core.ops.unread import with_unread
from neotoma_core.policies import Registry
from neotoma_core.reduce.entities import reduce_entities
from neotoma_core.tables import BY_NAME


@dataclass(frozen=True, slots=True)
class Reingested:
    """``observations`` sent again, each counted once; ``entities_differ``: see the report."""

    observations: int
    entities_differ: int


def count_reingested(merge: MergePlan, registry: Registry, target: Extract | None) -> Reingested:
    """Count the observations sent again, and the entities that the other choice would change."""
    chosen = merge.tables["observations"]
    if chosen.resent.is_empty():
        return Reingested(0, 0)
    policy = merge.rules.policy
    other: ReingestedMode = "by-mode" if policy.reingested == "keep-earliest" else "keep-earliest"
    rules = replace(merge.rules, policy=replace(policy, reingested=other))
    otherwise = merge_one(BY_NAME["observations"], merge.offers, rules)
    times = ["id", "observed_at", "created_at"]
    affected = (
        chosen.merged.join(otherwise.merged.select(times), on=times, how="anti", nulls_equal=True)
        .select("entity_id")
        .unique()
    )
    now, then = (
        _states(reduce_entities(of_entities(rows, affected), registry).snapshots)
        for rows in (
            with_unread(target, "observations", merged, "entity_id", affected["entity_id"])
            for merged in (chosen.merged, otherwise.merged)
        )
    )
    differ = sum(now.get(entity) != then.get(entity) for entity in affected["entity_id"])
    return Reingested(chosen.resent.height, differ)


def _states(snapshots: pl.DataFrame) -> dict[str, object]:
    """Return each entity's snapshot by value: the order of its keys is no difference."""
    return {
        entity: orjson.loads(snapshot)
        for entity, snapshot in snapshots.select("entity_id", "snapshot").iter_rows()
    }
