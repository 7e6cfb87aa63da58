"""Planning a recovery: what to merge, what to recompute, what that changes. Writes no target."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.plan import (
    MergePlan,
    plan_merge,
    registry_of,
    retyped_entities,
    touched_entities,
)
from neotoma_core.ops.carrying import Carrying, agree_on_tables
from neotoma_core.ops.evidence import DatabaseEvidence
from neotoma_core.ops.extract import Extract
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
    carrying: Carrying
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

    @property
    def target(self) -> Extract | None:
        """The target as it is, where there is one."""
        return self.carrying.target

    @property
    def backups(self) -> tuple[Extract, ...]:
        """The backups that take part."""
        return self.carrying.backups

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

    Raises KeyWrong, UsageError.
    """
    carrying = agree_on_tables(extracts)
    target, backups, carried = carrying.target, carrying.backups, carrying.carried
    key = key_for(run, extracts)
    held = open_offers(target, key, carried)
    offers = [open_offers(backup, key, carried) for backup in backups]
    policy = run.request.policy
    merge = plan_merge(held, offers, policy, carried)
    registry = completed(registry_of(merge.merged("schema_registry")), run, run.request.schemas)
    retyped = retyped_entities(merge, registry_of(held["schema_registry"].rows), registry)
    return RecoveryPlan(
        run=run,
        evidence=evidence,
        carrying=carrying,
        merge=merge,
        registry=registry,
        counts=carrying.accounted(merge.counts),
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
        raw=plan_raw_files(listing, merge.merged("sources")),
        raw_listing=listing,
        key=key,
        sealed=holds_sealed(target, backups, merge),
    )


def iso(moment: datetime) -> str:
    """Return a UTC moment as Neotoma writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
