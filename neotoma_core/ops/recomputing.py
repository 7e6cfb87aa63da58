"""Recomputing the snapshots a merge touches, and what that changes in the target."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.merge.derived import DerivedChange, plan_derived
from neotoma_core.merge.plan import MergePlan
from neotoma_core.policies import Registry
from neotoma_core.reduce.entities import reduce_entities
from neotoma_core.reduce.reduction import Reduction
from neotoma_core.reduce.relationships import reduce_relationships
from neotoma_core.tables import BY_NAME, Table

ENTITY_SNAPSHOTS: Final = BY_NAME["entity_snapshots"]
RELATIONSHIP_SNAPSHOTS: Final = BY_NAME["relationship_snapshots"]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One derived table: the reduction of what was touched, and the change it makes."""

    table: Table
    reduction: Reduction
    change: DerivedChange


def recompute_entities(
    merge: MergePlan,
    touched: pl.DataFrame,
    observations: pl.DataFrame,
    registry: Registry,
    existing: pl.DataFrame,
) -> Recomputed:
    """Reduce the ``touched`` (``entity_id``) entities; ``existing`` are the target's snapshots.

    ``observations``: all those that the touched entities will have, and any others. An entity that
    another one stands for has no snapshot, whatever observations it is left with.
    """
    live = touched.join(merge.merged_away, on="entity_id", how="anti")
    complete = of_entities(observations, live)
    reduction = reduce_entities(complete, registry)
    # An entity with no readable observation keeps the snapshot it has: nothing better is known.
    broken = _without(observations, complete, live)
    kept = pl.concat([reduction.snapshots.select("entity_id"), reduction.unreduced, broken])
    change = plan_derived(
        "entity_id",
        existing,
        reduction.snapshots,
        touched.join(kept, on="entity_id", how="anti"),
        columns=ENTITY_SNAPSHOTS.names,
    )
    return Recomputed(ENTITY_SNAPSHOTS, reduction, change)


def recompute_relationships(
    touched: pl.DataFrame, observations: pl.DataFrame, existing: pl.DataFrame, now: str
) -> Recomputed:
    """Reduce the ``touched`` (``relationship_key``); ``now``: ISO time of the computation.

    ``observations``: all those that the touched relationships will have, and any others.
    """
    complete = _complete("relationship_observations", observations)
    complete = complete.join(touched, on="relationship_key", how="semi", maintain_order="left")
    reduction = reduce_relationships(complete, now=now)
    broken = _without(observations, complete, touched)
    kept = pl.concat([reduction.snapshots.select("relationship_key"), broken])
    change = plan_derived(
        "relationship_key",
        existing,
        reduction.snapshots,
        touched.join(kept, on="relationship_key", how="anti"),
        # When it was computed is the wall clock's: no reason to write a row again.
        ignored=("computed_at",),
        columns=RELATIONSHIP_SNAPSHOTS.names,
    )
    return Recomputed(RELATIONSHIP_SNAPSHOTS, reduction, change)


def of_entities(observations: pl.DataFrame, entities: pl.DataFrame) -> pl.DataFrame:
    """Return the observations of some entities; broken rows of the target take no part."""
    complete = _complete("observations", observations)
    return complete.join(entities, on="entity_id", how="semi", maintain_order="left")


def _without(
    observations: pl.DataFrame, complete: pl.DataFrame, touched: pl.DataFrame
) -> pl.DataFrame:
    """Return those ``touched`` that have observations, but no complete one."""
    seen = touched.join(observations, on=touched.columns, how="semi")
    return seen.join(complete, on=touched.columns, how="anti")


def _complete(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    known = BY_NAME[table]
    return rows.drop_nulls([*known.key, *(c.name for c in known.columns if c.required)])
