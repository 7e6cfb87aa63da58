"""Planning a recovery: what to merge, what to recompute, what that changes. Writes no target."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.credentials import without_revoked
from neotoma_core.merge.lineage import Database
from neotoma_core.merge.one_user import of_user, own_rows
from neotoma_core.merge.plan import (
    MergePlan,
    plan_merge,
    registry_of,
    retyped_entities,
    touched_entities,
    touched_relationships,
)
from neotoma_core.ops.carrying import Carrying, agree_on_tables
from neotoma_core.ops.decisions import read_decisions
from neotoma_core.ops.erased_rows import Erasures, leave_out_erased
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
from neotoma_core.ops.salvaged_rows import yielding
from neotoma_core.ops.schemas import completed
from neotoma_core.ops.unread import held_elsewhere, with_stored_files, with_unread
from neotoma_core.policies import Registry

if TYPE_CHECKING:
    from neotoma_core.encryption.key import DataKey

_EDGES: Final = "relationship_observations"


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
    erasures: Erasures

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
        return self.merge.writes + sum(derived.change.writes for derived in self.derived)


def plan_recovery(
    run: Run,
    evidence: tuple[DatabaseEvidence, ...],
    extracts: tuple[Extract, ...],
    listing: RawListing,
) -> RecoveryPlan:
    """Decide everything. ``extracts``: the target's, where there is one, and the backups'.

    Raises KeyWrong, UsageError, VaultDamaged.
    """
    carrying = agree_on_tables(extracts, run.request.tables)
    target, backups, carried = carrying.target, carrying.backups, carrying.carried
    key = key_for(run, extracts)
    tables = (*run.request.tables, *carried)
    held = open_offers(target, key, tables)
    found = [_asked_for(run, held, open_offers(backup, key, tables)) for backup in backups]
    offers, erasures = leave_out_erased(run.folders, held, found)
    offers = yielding(held, offers, [b.database.suspect for b in backups], tables)
    decisions = read_decisions(run.request.decisions, [b.database for b in backups])
    elsewhere = held_elsewhere(target)
    merge = plan_merge(held, offers, run.request.policy, decisions, tables, elsewhere)
    sources = with_stored_files(target, own_rows(merge.merged("sources"), run.request.user))
    registry = completed(registry_of(merge.merged("schema_registry")), run, run.request.schemas)
    retyped = retyped_entities(merge, registry_of(held["schema_registry"].rows), registry)
    touched, edges = touched_entities(merge, held, retyped), touched_relationships(merge, held)
    return RecoveryPlan(
        run=run,
        evidence=evidence,
        carrying=carrying,
        merge=merge,
        registry=registry,
        counts=carrying.accounted(merge.counts),
        entities=recompute_entities(
            merge,
            touched,
            with_unread(target, "observations", merge.merged("observations"), *_column(touched)),
            registry,
            open_existing(target, ENTITY_SNAPSHOTS, key, touched),
        ),
        relationships=recompute_relationships(
            edges,
            with_unread(target, _EDGES, merge.merged(_EDGES), *_column(edges)),
            open_existing(target, RELATIONSHIP_SNAPSHOTS, key, edges),
            iso(run.started),
        ),
        reingested=count_reingested(merge, registry, target),
        raw=plan_raw_files(run, erasures.listed(listing, sources), sources),
        raw_listing=listing,
        key=key,
        sealed=holds_sealed(target, backups, merge),
        erasures=erasures,
    )


def _column(keys: pl.DataFrame) -> tuple[str, pl.Series]:
    """Return a frame of one column as its name and what is in it."""
    return keys.columns[0], keys.to_series()


def _asked_for(run: Run, held: Database, offered: Database) -> Database:
    """Return what a backup offers, less what is not wanted of it."""
    wanted = without_revoked(offered, held)
    return wanted if run.request.user is None else of_user(wanted, run.request.user)


def iso(moment: datetime) -> str:
    """Return a UTC moment as Neotoma writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
