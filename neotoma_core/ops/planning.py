"""Planning a recovery: what to merge, what to recompute, what that changes. Writes no target."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from neotoma_core.frames import TARGET
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.frames import Offered
from neotoma_core.merge.plan import (
    Database,
    MergePlan,
    plan_merge,
    registry_of,
    retyped_entities,
    touched_entities,
)
from neotoma_core.ops.evidence import DatabaseEvidence
from neotoma_core.ops.extract import Extract, skipped_reason
from neotoma_core.ops.raw_files import RawListing, RawPlan, plan_raw_files
from neotoma_core.ops.recomputing import (
    ENTITY_SNAPSHOTS,
    RELATIONSHIP_SNAPSHOTS,
    Recomputed,
    recompute_entities,
    recompute_relationships,
)
from neotoma_core.ops.reingested import Reingested, count_reingested
from neotoma_core.ops.run import Run
from neotoma_core.policies import Registry
from neotoma_core.store.rows import empty_rows
from neotoma_core.tables import MERGED, Table


@dataclass(frozen=True, slots=True)
class RecoveryPlan:
    """Everything a recovery will do. ``counts`` covers every table of every backup."""

    run: Run
    evidence: tuple[DatabaseEvidence, ...]
    target: Extract | None
    backups: tuple[Extract, ...]
    merge: MergePlan
    registry: Registry
    counts: tuple[RowCounts, ...]
    entities: Recomputed
    relationships: Recomputed
    reingested: Reingested
    raw: RawPlan
    raw_listing: RawListing

    @property
    def derived(self) -> tuple[Recomputed, ...]:
        """Both derived tables."""
        return self.entities, self.relationships

    @property
    def writes(self) -> int:
        """Rows that will be written: log, registry and derived."""
        derived = (recomputed.change for recomputed in self.derived)
        return self.merge.writes + sum(c.written.height + c.removed.height for c in derived)


def plan_recovery(
    run: Run,
    evidence: tuple[DatabaseEvidence, ...],
    extracts: tuple[Extract, ...],
    listing: RawListing,
) -> RecoveryPlan:
    """Decide everything. ``extracts``: the target's, where there is one, and the backups'."""
    target = next((e for e in extracts if e.database.number == TARGET), None)
    backups = tuple(e for e in extracts if e.database.number != TARGET)
    held = _offers(target)
    offers = [_offers(backup) for backup in backups]
    policy = run.request.policy
    merge = plan_merge(held, offers, policy)
    registry = registry_of(merge.merged("schema_registry"))
    retyped = retyped_entities(merge, registry_of(held["schema_registry"].rows), registry)
    return RecoveryPlan(
        run=run,
        evidence=evidence,
        target=target,
        backups=backups,
        merge=merge,
        registry=registry,
        counts=(*merge.counts, *_skipped(backups)),
        entities=recompute_entities(
            merge.merged("observations"),
            touched_entities(merge, held, retyped),
            registry,
            _existing(target, ENTITY_SNAPSHOTS),
        ),
        relationships=recompute_relationships(
            merge, _existing(target, RELATIONSHIP_SNAPSHOTS), _iso(run.started)
        ),
        reingested=count_reingested(merge, held, offers, policy, registry),
        raw=plan_raw_files(listing, merge.merged("sources")),
        raw_listing=listing,
    )


def _offers(extract: Extract | None) -> Database:
    if extract is None:
        return {t.name: Offered(empty_rows(t), frozenset(t.names)) for t in MERGED}
    return {table.name: extract.offered(table) for table in MERGED}


def _existing(target: Extract | None, table: Table) -> pl.DataFrame:
    return target.rows(table.name) if target else empty_rows(table)


def _skipped(backups: tuple[Extract, ...]) -> tuple[RowCounts, ...]:
    """Return counts for every table of the backups that is not merged."""
    return tuple(
        RowCounts(backup.database.number, t.name, t.read, skipped=t.read, reason=reason)
        for backup in backups
        for t in backup.tables.values()
        if t.read and (reason := skipped_reason(t.name))
    )


def _iso(moment: datetime) -> str:
    """Return a UTC moment as Neotoma writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
