"""Planning a recovery: what to merge, what to recompute, what that changes. Writes no target."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from neotoma_core.errors import UsageError
from neotoma_core.lineage.credentials import without_orphans, without_revoked
from neotoma_core.lineage.lineage import Database
from neotoma_core.lineage.one_user import has_rows_of, of_user, own_rows
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.plan import (
    MergePlan,
    find_retyped_entities,
    find_touched_entities,
    find_touched_relationships,
    plan_merge,
    registry_of,
)
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.neotoma.tables import Table
from neotoma_core.neotoma.times import iso
from neotoma_core.neotoma.versions import release_of
from neotoma_core.publication.merged_rows import NONE, Zombies, find_zombies
from neotoma_core.rebuild.newer_release import require_no_cutover
from neotoma_core.recovery.conflicts.decisions import (
    as_decisions,
    read_decisions,
    require_conflicts,
    require_rows,
    without_conflict,
)
from neotoma_core.recovery.conflicts.reingested import Reingested, count_reingested
from neotoma_core.recovery.deciding import MergedLog
from neotoma_core.recovery.run.request import RecoverRequest, RecoveryRun
from neotoma_core.recovery.stale_before import StaleBefore
from neotoma_core.runs.evidence import DatabaseEvidence
from neotoma_core.runs.raw_files import RawListing, RawPlan, plan_raw_files
from neotoma_core.runs.schemas import complete_registry
from neotoma_core.snapshots.choosing import choose_rules
from neotoma_core.snapshots.deciding import (
    Decided,
)
from neotoma_core.snapshots.reading import Rules
from neotoma_core.sources.carrying import Carrying, agree_on_tables
from neotoma_core.sources.erased import Erasures, leave_out_erased
from neotoma_core.sources.extract import Extract
from neotoma_core.sources.opening import holds_sealed, key_for, open_offers
from neotoma_core.sources.salvaged_rows import without_known_rows
from neotoma_core.sources.unread import find_held_elsewhere, with_stored_files
from neotoma_core.sqlite.inspection import names_of
from neotoma_core.sqlite.opening import connect_read_only

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey


@dataclass(frozen=True, slots=True)
class RecoveryPlan:
    """Everything a recovery will do. ``counts`` covers every table of every backup.

    Frames of rows are open. ``key`` opens what is sealed in the databases, where anything is;
    ``sealed``: what is derived must be sealed with it before it leaves memory. ``zombies``: rows of
    the target that were on a merged-away entity before. ``release``: the newest that any database
    shows.
    """

    run: RecoveryRun
    release: str
    evidence: tuple[DatabaseEvidence, ...]
    carrying: Carrying
    merge: MergePlan
    rules: Rules
    counts: tuple[RowCounts, ...]
    entities: Decided
    relationships: Decided
    stale: StaleBefore
    reingested: Reingested
    raw: RawPlan
    raw_listing: RawListing
    key: "DataKey | None"
    sealed: bool
    erasures: Erasures
    zombies: Zombies

    @property
    def request(self) -> RecoverRequest:
        """What was asked for."""
        return self.run.request

    @property
    def target_folder(self) -> Path:
        """The folder of the target."""
        return self.run.path.absolute().parent

    @property
    def report_folder(self) -> Path:
        """Where the report and what goes with it are kept."""
        return self.run.folders.report

    @property
    def quarantine(self) -> Path:
        """Where the rows that were set aside are kept."""
        return self.run.folders.quarantine

    @property
    def work(self) -> Path:
        """The scratch of the run."""
        return self.run.folders.work

    @property
    def target(self) -> Extract | None:
        """The target as it is, where there is one."""
        return self.carrying.target

    @property
    def backups(self) -> tuple[Extract, ...]:
        """The backups that take part."""
        return self.carrying.backups

    @property
    def labels(self) -> dict[int, str]:
        """What each database is called, by its number."""
        return {TARGET: "target", **{b.database.number: b.database.label for b in self.backups}}

    @property
    def derived(self) -> tuple[Decided, ...]:
        """Both derived tables."""
        return self.entities, self.relationships

    @property
    def writes(self) -> int:
        """Rows that will be written: log, registry and derived."""
        return self.merge.writes + sum(derived.change.writes for derived in self.derived)


def _require_changeable(run: RecoveryRun, target: Extract | None, merge: MergePlan) -> None:
    """Raise TargetError where a newer Neotoma's rules forbid what the merge does to the log."""
    name = "observations"
    changes = merge.tables[name]
    rewrites = bool(changes.replaced.height or name in merge.removed)
    if target is not None and (rewrites or changes.inserted.height):
        stored = {one.name: one.stored for one in target.tables.values()}
        require_no_cutover(run.path, stored, "this merge", rewrites=rewrites)


@dataclass(frozen=True, slots=True)
class _Offers:
    """What the target holds, what each backup offers, and what is decided about conflicts."""

    held: Database
    offers: list[Database]
    erasures: Erasures
    decisions: pl.DataFrame
    tables: tuple[Table, ...]


def plan_recovery(
    run: RecoveryRun,
    evidence: tuple[DatabaseEvidence, ...],
    extracts: tuple[Extract, ...],
    listing: RawListing,
) -> RecoveryPlan:
    """Decide everything. ``extracts``: the target's, where there is one, and the backups'.

    Raises KeyWrong, UsageError, VaultDamaged.
    """
    request = run.request
    carrying = agree_on_tables(extracts, request.tables)
    target, backups = carrying.target, carrying.backups
    key = key_for(run, extracts)
    found = _read_offers(run, carrying, key)
    held, erasures = found.held, found.erasures
    merge = _plan_merge(found, request, target)
    _require_changeable(run, target, merge)
    registry = complete_registry(
        registry_of(merge.rows_after("schema_registry")), run, request.schemas
    )
    names = frozenset().union(*(names_of(t.stored for t in e.tables.values()) for e in extracts))
    rules = Rules(registry, choose_rules(request.rules, names, registry), merge.merged_away)
    log = MergedLog(merge, target, key, rules, iso(run.started))
    retyped = find_retyped_entities(merge, registry_of(held["schema_registry"].rows), registry)
    touched, edges = (
        find_touched_entities(merge, held, retyped),
        find_touched_relationships(merge, held),
    )
    stale = log.find_stale(touched, edges)
    touched = pl.concat([touched, stale.entities]).unique(maintain_order=True)
    edges = pl.concat([edges, stale.edges]).unique(maintain_order=True)
    sources = with_stored_files(target, own_rows(merge.rows_after("sources"), request.user))
    return RecoveryPlan(
        run=run,
        release=release_of(names),
        evidence=evidence,
        carrying=carrying,
        merge=merge,
        rules=rules,
        counts=carrying.count_rows(merge.counts),
        entities=log.decide_entities(touched),
        relationships=log.decide_relationships(edges),
        stale=stale,
        reingested=count_reingested(merge, rules, target),
        raw=plan_raw_files(run, erasures.list_files(listing, sources), sources),
        raw_listing=listing,
        key=key,
        sealed=holds_sealed(target, backups, merge),
        erasures=erasures,
        zombies=_zombies(target),
    )


def _plan_merge(found: _Offers, request: RecoverRequest, target: Extract | None) -> MergePlan:
    """Plan the merge; raises UsageError where a file decides about rows that are in no conflict.

    One decision may settle what another one is about, so those count that are about a conflict of
    the merge without any of them.
    """

    def plan(decisions: pl.DataFrame) -> MergePlan:
        elsewhere = find_held_elsewhere(target)
        return plan_merge(
            found.held, found.offers, request.policy, decisions, found.tables, elsewhere
        )

    merge = plan(found.decisions)
    if request.decisions is not None:
        strange = without_conflict(found.decisions, merge.conflicts)
        if strange.height:
            strange = without_conflict(strange, plan(strange.clear()).conflicts)
        require_conflicts(request.decisions, strange)
    return merge


def _read_offers(run: RecoveryRun, carrying: Carrying, key: "DataKey | None") -> _Offers:
    """Read what every database offers, less what is not to be merged of it."""
    request, backups = run.request, carrying.backups
    tables = (*request.tables, *carrying.carried)
    held = open_offers(carrying.target, key, tables)
    offered = [open_offers(backup, key, tables) for backup in backups]
    require_user(request.user, offered)
    found = [_read_asked(run, held, one) for one in offered]
    offers, erasures = leave_out_erased(run, held, found)
    offers = without_orphans(held, offers, tables)
    offers = without_known_rows(held, offers, [b.database.suspect for b in backups], tables)
    databases = [backup.database for backup in backups]
    decisions = read_decisions(request.decisions, databases)
    require_rows(request.decisions, decisions, offered)
    decisions = pl.concat([decisions, as_decisions(request.decided, databases)])
    return _Offers(held, offers, erasures, decisions, tables)


def _zombies(target: Extract | None) -> Zombies:
    if target is None or "entities" not in target.tables:
        return NONE
    with closing(connect_read_only(target.whole)) as connection:
        return find_zombies(connection)


def require_user(user: str | None, offered: Sequence[Database]) -> None:
    """Raise UsageError where no backup has a row of the only user whose rows are asked for."""
    if user is not None and not any(has_rows_of(one, user) for one in offered):
        raise UsageError(
            f"--user {user}: none of the backups has a row of that user; nothing was changed; "
            "check the id"
        )


def _read_asked(run: RecoveryRun, held: Database, offered: Database) -> Database:
    """Return what a backup offers, less what is not wanted of it."""
    wanted = without_revoked(offered, held)
    return wanted if run.request.user is None else of_user(wanted, run.request.user)
