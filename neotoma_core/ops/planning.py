"""Planning a recovery: what to merge, what to recompute, what that changes. Writes no target."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from neotoma_core.frames import TARGET
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.plan import (
    MergePlan,
    plan_merge,
    registry_of,
    retyped_entities,
    touched_entities,
)
from neotoma_core.ops.erased_rows import Erasures, leave_out_erased
from neotoma_core.ops.evidence import DatabaseEvidence
from neotoma_core.ops.extract import Extract, skipped_reason
from neotoma_core.ops.opening import holds_sealed, key_for, open_existing, open_offers
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
from neotoma_core.ops.schemas import completed
from neotoma_core.policies import Registry

if TYPE_CHECKING:
    from neotoma_core.encryption.key import DataKey


@dataclass(frozen=True, slots=True)
class RecoveryPlan:
    """Everything a recovery will do. ``counts`` covers every table of every backup.

    Frames of rows are open. ``key`` opens what is sealed in the databases, where anything is;
    ``sealed``: what is derived must be sealed with it before it leaves memory.
    """

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
    key: "DataKey | None"
    sealed: bool
    erasures: Erasures

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
    """Decide everything. ``extracts``: the target's, where there is one, and the backups'.

    Raises KeyWrong, UsageError, VaultDamaged.
    """
    target = next((e for e in extracts if e.database.number == TARGET), None)
    backups = tuple(e for e in extracts if e.database.number != TARGET)
    key = key_for(run, extracts)
    held = open_offers(target, key)
    found = [open_offers(backup, key) for backup in backups]
    offers, erasures = leave_out_erased(run.folders, held, found)
    policy = run.request.policy
    merge = plan_merge(held, offers, policy)
    registry = completed(registry_of(merge.merged("schema_registry")), run, run.request.schemas)
    retyped = retyped_entities(merge, registry_of(held["schema_registry"].rows), registry)
    return RecoveryPlan(
        run=run,
        evidence=evidence,
        target=target,
        backups=backups,
        merge=merge,
        registry=registry,
        counts=(*erasures.counted(merge.counts), *_skipped(backups)),
        entities=recompute_entities(
            merge.merged("observations"),
            touched_entities(merge, held, retyped),
            registry,
            open_existing(target, ENTITY_SNAPSHOTS, key),
        ),
        relationships=recompute_relationships(
            merge, open_existing(target, RELATIONSHIP_SNAPSHOTS, key), iso(run.started)
        ),
        reingested=count_reingested(merge, held, offers, policy, registry),
        raw=plan_raw_files(
            erasures.listed(listing, merge.merged("sources")), merge.merged("sources")
        ),
        raw_listing=listing,
        key=key,
        sealed=holds_sealed(target, backups, merge),
        erasures=erasures,
    )


def _skipped(backups: tuple[Extract, ...]) -> tuple[RowCounts, ...]:
    """Return counts for every table of the backups that is not merged."""
    return tuple(
        RowCounts(backup.database.number, t.name, t.read, skipped=t.read, reason=reason)
        for backup in backups
        for t in backup.tables.values()
        if t.read and (reason := skipped_reason(t.name))
    )


def iso(moment: datetime) -> str:
    """Return a UTC moment as Neotoma writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
