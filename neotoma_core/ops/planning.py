"""Planning a recovery: what to merge, what to recompute, what that changes. Writes no target."""

from dataclasses import dataclass

import orjson
import polars as pl

from neotoma_core.frames import TARGET
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.derived import DerivedChange, plan_derived
from neotoma_core.merge.frames import Offered
from neotoma_core.merge.plan import (
    Database,
    MergePlan,
    merge_one,
    plan_merge,
    registry_of,
    retyped_entities,
    touched_entities,
    touched_relationships,
)
from neotoma_core.merge.policy import MergePolicy, ReingestedMode
from neotoma_core.ops.evidence import DatabaseEvidence
from neotoma_core.ops.extract import Extract, skipped_reason
from neotoma_core.ops.raw_files import RawListing, RawPlan, plan_raw_files
from neotoma_core.ops.run import Run
from neotoma_core.policies import Registry
from neotoma_core.reduce.entities import reduce_entities
from neotoma_core.reduce.reduction import Reduction
from neotoma_core.reduce.relationships import reduce_relationships
from neotoma_core.store.rows import empty_rows
from neotoma_core.tables import BY_NAME, MERGED

_ENTITY_SNAPSHOTS = BY_NAME["entity_snapshots"]
_RELATIONSHIP_SNAPSHOTS = BY_NAME["relationship_snapshots"]


@dataclass(frozen=True, slots=True)
class Reingested:
    """Observations sent again, and the entities the choice between their two times matters to."""

    observations: int
    entities_differ: int


@dataclass(frozen=True, slots=True)
class RecoveryPlan:
    """Everything a recovery will do. ``counts`` covers every table of every backup."""

    run: Run
    evidence: tuple[DatabaseEvidence, ...]
    extracts: tuple[Extract, ...]
    merge: MergePlan
    registry: Registry
    counts: tuple[RowCounts, ...]
    entities: Reduction
    relationships: Reduction
    entity_change: DerivedChange
    relationship_change: DerivedChange
    reingested: Reingested
    raw: RawPlan
    raw_listing: RawListing

    @property
    def target(self) -> Extract | None:
        """The target's extract; None where there is no target yet."""
        return next((e for e in self.extracts if e.database.number == TARGET), None)

    @property
    def backups(self) -> tuple[Extract, ...]:
        """The backups' extracts, in the order given."""
        return tuple(e for e in self.extracts if e.database.number != TARGET)

    @property
    def writes(self) -> int:
        """Rows that will be written: log, registry and derived."""
        derived = (self.entity_change, self.relationship_change)
        return self.merge.writes + sum(c.written.height + c.removed.height for c in derived)


def plan_recovery(
    run: Run,
    evidence: tuple[DatabaseEvidence, ...],
    extracts: tuple[Extract, ...],
    listing: RawListing,
) -> RecoveryPlan:
    """Decide everything. ``extracts``: the target's, where there is one, and the backups'."""
    target = _offers(next((e for e in extracts if e.database.number == TARGET), None))
    backups = [_offers(e) for e in extracts if e.database.number != TARGET]
    policy = run.request.policy
    merge = plan_merge(target, backups, policy)
    registry = registry_of(merge.merged("schema_registry"))
    retyped = retyped_entities(merge, registry_of(target["schema_registry"].rows), registry)
    touched = touched_entities(merge, target, retyped)
    entities = reduce_entities(_of_entities(merge.merged("observations"), touched), registry)
    relationships = reduce_relationships(_of_relationships(merge), now=_stamp(run))
    return RecoveryPlan(
        run=run,
        evidence=evidence,
        extracts=extracts,
        merge=merge,
        registry=registry,
        counts=(*merge.counts, *_skipped(extracts)),
        entities=entities,
        relationships=relationships,
        entity_change=_entity_change(extracts, touched, entities),
        relationship_change=_relationship_change(extracts, merge, relationships),
        reingested=_reingested(merge, target, backups, policy, registry),
        raw=plan_raw_files(listing, merge.merged("sources")),
        raw_listing=listing,
    )


def _offers(extract: Extract | None) -> Database:
    if extract is None:
        return {t.name: Offered(empty_rows(t), frozenset(t.names)) for t in MERGED}
    return {table.name: extract.offered(table) for table in MERGED}


def _of_entities(observations: pl.DataFrame, touched: pl.DataFrame) -> pl.DataFrame:
    """Return the observations of the touched entities; broken rows of the target take no part."""
    required = [column.name for column in BY_NAME["observations"].columns if column.required]
    return observations.drop_nulls(required).join(
        touched, on="entity_id", how="semi", maintain_order="left"
    )


def _of_relationships(merge: MergePlan) -> pl.DataFrame:
    touched = touched_relationships(merge)
    required = [c.name for c in BY_NAME["relationship_observations"].columns if c.required]
    return (
        merge.merged("relationship_observations")
        .drop_nulls(required)
        .join(touched, on="relationship_key", how="semi", maintain_order="left")
    )


def _entity_change(
    extracts: tuple[Extract, ...], touched: pl.DataFrame, entities: Reduction
) -> DerivedChange:
    # An entity with no readable observation keeps the snapshot it has: nothing better is known.
    kept = pl.concat([entities.snapshots.select("entity_id"), entities.unreduced])
    return plan_derived(
        "entity_id",
        _existing(extracts, _ENTITY_SNAPSHOTS.name),
        entities.snapshots,
        touched.join(kept, on="entity_id", how="anti"),
        columns=_ENTITY_SNAPSHOTS.names,
    )


def _relationship_change(
    extracts: tuple[Extract, ...], merge: MergePlan, relationships: Reduction
) -> DerivedChange:
    touched = touched_relationships(merge)
    kept = relationships.snapshots.select("relationship_key")
    return plan_derived(
        "relationship_key",
        _existing(extracts, _RELATIONSHIP_SNAPSHOTS.name),
        relationships.snapshots,
        touched.join(kept, on="relationship_key", how="anti"),
        # When it was computed is the wall clock's: no reason to write a row again.
        ignored=("computed_at",),
        columns=_RELATIONSHIP_SNAPSHOTS.names,
    )


def _existing(extracts: tuple[Extract, ...], table: str) -> pl.DataFrame:
    target = next((e for e in extracts if e.database.number == TARGET), None)
    return target.rows(table) if target else empty_rows(BY_NAME[table])


def _skipped(extracts: tuple[Extract, ...]) -> tuple[RowCounts, ...]:
    """Return counts for every table of the backups that is not merged."""
    return tuple(
        RowCounts(e.database.number, t.name, t.read, skipped=t.read, reason=reason)
        for e in extracts
        if e.database.number != TARGET
        for t in e.tables.values()
        if t.read and (reason := skipped_reason(t.name))
    )


def _reingested(
    merge: MergePlan,
    target: Database,
    backups: list[Database],
    policy: MergePolicy,
    registry: Registry,
) -> Reingested:
    """Count the observations sent again, and the entities that the other choice would change."""
    chosen = merge.tables["observations"]
    if chosen.resent.is_empty():
        return Reingested(0, 0)
    other: ReingestedMode = "by-mode" if policy.reingested == "keep-earliest" else "keep-earliest"
    otherwise = merge_one(
        BY_NAME["observations"], target, backups, MergePolicy(policy.mode, other), merge.remapped
    )
    times = ["id", "observed_at", "created_at"]
    affected = (
        chosen.merged.join(otherwise.merged.select(times), on=times, how="anti", nulls_equal=True)
        .select("entity_id")
        .unique()
    )
    states = [
        _states(reduce_entities(_of_entities(rows, affected), registry).snapshots)
        for rows in (chosen.merged, otherwise.merged)
    ]
    differ = sum(states[0].get(e) != states[1].get(e) for e in affected["entity_id"])
    return Reingested(chosen.resent.height, differ)


def _states(snapshots: pl.DataFrame) -> dict[str, object]:
    """Return each entity's snapshot by value: the order of its keys is no difference."""
    return {
        entity: orjson.loads(snapshot)
        for entity, snapshot in snapshots.select("entity_id", "snapshot").iter_rows()
    }


def _stamp(run: Run) -> str:
    return run.started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
