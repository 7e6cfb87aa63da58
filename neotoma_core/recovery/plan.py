"""Planning a recovery: what to merge, what to recompute, what that changes. Writes no target."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from neotoma_core.errors import UsageError
from neotoma_core.lineage.credentials import without_orphans, without_revoked
from neotoma_core.lineage.lineage import Database
from neotoma_core.lineage.offers import as_they_will_lie
from neotoma_core.lineage.one_user import has_rows_of, of_user, own_rows
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.plan import (
    MergePlan,
    plan_merge,
    registry_of,
    retyped_entities,
    touched_entities,
    touched_relationships,
)
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.neotoma.tables import Table
from neotoma_core.neotoma.times import iso
from neotoma_core.neotoma.versions import release_of
from neotoma_core.publication.merged_rows import NONE, Zombies, find_zombies
from neotoma_core.rebuild.newer_release import require_no_cutover
from neotoma_core.recovery.decisions import read_decisions, require_rows
from neotoma_core.recovery.reingested import Reingested, count_reingested
from neotoma_core.recovery.stale_before import MOST, StaleBefore, nothing_stale, stale_before
from neotoma_core.runs.evidence import DatabaseEvidence
from neotoma_core.runs.raw_files import RawListing, RawPlan, plan_raw_files
from neotoma_core.runs.run import Run
from neotoma_core.runs.schemas import completed
from neotoma_core.snapshots.choosing import choose_rules
from neotoma_core.snapshots.deciding import (
    ENTITY_SNAPSHOTS,
    RELATIONSHIP_SNAPSHOTS,
    Decided,
    Stored,
    decide_entities,
    decide_relationships,
)
from neotoma_core.snapshots.explaining import History
from neotoma_core.snapshots.past_schemas import past_schemas
from neotoma_core.snapshots.reading import Rules
from neotoma_core.sources.carrying import Carrying, agree_on_tables
from neotoma_core.sources.erased import Erasures, leave_out_erased
from neotoma_core.sources.extract import Extract
from neotoma_core.sources.opening import holds_sealed, key_for, open_existing, open_offers
from neotoma_core.sources.salvaged_rows import yielding
from neotoma_core.sources.unread import held_elsewhere, with_stored_files, with_unread
from neotoma_core.sqlite.inspection import names_of
from neotoma_core.sqlite.opening import connect_read_only

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey

_EDGES: Final = "relationship_observations"


@dataclass(frozen=True, slots=True)
class RecoveryPlan:
    """Everything a recovery will do. ``counts`` covers every table of every backup.

    Frames of rows are open. ``key`` opens what is sealed in the databases, where anything is;
    ``sealed``: what is derived must be sealed with it before it leaves memory. ``zombies``: rows of
    the target that were on a merged-away entity before. ``release``: the newest that any database
    shows.
    """

    run: Run
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


def _require_changeable(run: Run, target: Extract | None, merge: MergePlan) -> None:
    """Raise TargetError where a newer Neotoma's rules forbid what the merge does to the log."""
    name = "observations"
    changes = merge.tables[name]
    rewrites = bool(changes.replaced.height or name in merge.removed)
    if target is not None and (rewrites or changes.inserted.height):
        stored = {one.name: one.stored for one in target.tables.values()}
        require_no_cutover(run.request.target, stored, "this merge", rewrites=rewrites)


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
    offered = [open_offers(backup, key, tables) for backup in backups]
    require_user(run.request.user, offered)
    found = [_asked_for(run, held, one) for one in offered]
    offers, erasures = leave_out_erased(run, held, found)
    offers = without_orphans(held, offers, tables)
    offers = yielding(held, offers, [b.database.suspect for b in backups], tables)
    decisions = read_decisions(run.request.decisions, [b.database for b in backups])
    require_rows(run.request.decisions, decisions, offered)
    elsewhere = held_elsewhere(target)
    merge = plan_merge(held, offers, run.request.policy, decisions, tables, elsewhere)
    _require_changeable(run, target, merge)
    sources = with_stored_files(target, own_rows(merge.merged("sources"), run.request.user))
    registry = completed(registry_of(merge.merged("schema_registry")), run, run.request.schemas)
    retyped = retyped_entities(merge, registry_of(held["schema_registry"].rows), registry)
    touched, edges = touched_entities(merge, held, retyped), touched_relationships(merge, held)
    names = frozenset().union(*(names_of(t.stored for t in e.tables.values()) for e in extracts))
    choice = choose_rules(run.request.rules, names, registry)
    rules = Rules(registry, choice, merge.merged_away)
    now = iso(run.started)
    stale = _stale_before(merge, target, key, (touched, edges), rules, now)
    touched = pl.concat([touched, stale.entities]).unique(maintain_order=True)
    edges = pl.concat([edges, stale.edges]).unique(maintain_order=True)
    return RecoveryPlan(
        run=run,
        release=release_of(names),
        evidence=evidence,
        carrying=carrying,
        merge=merge,
        rules=rules,
        counts=carrying.accounted(merge.counts),
        entities=decide_entities(
            _log_of(merge, target, "observations", touched),
            _stored(target, ENTITY_SNAPSHOTS, key, touched),
            rules,
        ),
        relationships=decide_relationships(
            _log_of(merge, target, _EDGES, edges),
            _stored(target, RELATIONSHIP_SNAPSHOTS, key, edges),
            now=now,
        ),
        stale=stale,
        reingested=count_reingested(merge, rules, target),
        raw=plan_raw_files(run, erasures.listed(listing, sources), sources),
        raw_listing=listing,
        key=key,
        sealed=holds_sealed(target, backups, merge),
        erasures=erasures,
        zombies=_zombies(target),
    )


def _stale_before(  # noqa: PLR0913, PLR0917 - what is known before, and what is touched anyway
    merge: MergePlan,
    target: Extract | None,
    key: "DataKey | None",
    touched: tuple[pl.DataFrame, pl.DataFrame],
    rules: Rules,
    now: str,
) -> StaleBefore:
    """Return which of the target's other snapshots are stale; a large target's are not compared."""
    if target is None:
        return nothing_stale(compared=True)
    if target.is_narrowed or merge.merged("observations").height > MOST:
        return nothing_stale(compared=False)
    observations = _rest(merge, "observations", touched[0])
    relationships = _rest(merge, _EDGES, touched[1])
    entities = decide_entities(
        observations, _stored_beside(target, ENTITY_SNAPSHOTS, key, touched[0]), rules
    )
    edges = decide_relationships(
        relationships, _stored_beside(target, RELATIONSHIP_SNAPSHOTS, key, touched[1]), now=now
    )
    schemas = past_schemas(merge.merged("schema_registry"))
    audits = merge.merged("entity_merges")["to_entity_id"].drop_nulls()
    history = History(rules, schemas, frozenset({*audits, *merge.lineage.survivors}))
    return stale_before(entities, edges, observations, relationships, history)


def _rest(merge: MergePlan, name: str, touched: pl.DataFrame) -> pl.DataFrame:
    rows = as_they_will_lie(merge.merged(name))
    return rows.join(touched, on=touched.columns, how="anti", maintain_order="left")


def _stored_beside(
    target: Extract, table: Table, key: "DataKey | None", touched: pl.DataFrame
) -> Stored:
    rows = open_existing(target, table, key, touched)
    others = rows.join(touched, on=touched.columns, how="anti", maintain_order="left")
    return Stored(table, others, frozenset(table.names))


def _zombies(target: Extract | None) -> Zombies:
    if target is None or "entities" not in target.tables:
        return NONE
    with closing(connect_read_only(target.whole)) as connection:
        return find_zombies(connection)


def _log_of(
    merge: MergePlan, target: Extract | None, name: str, touched: pl.DataFrame
) -> pl.DataFrame:
    """Return all observations that what is ``touched``, a frame of one column, will have."""
    column = touched.columns[0]
    rows = with_unread(target, name, merge.merged(name), column, touched[column])
    return as_they_will_lie(rows).join(touched, on=column, how="semi", maintain_order="left")


def _stored(
    target: Extract | None, table: Table, key: "DataKey | None", touched: pl.DataFrame
) -> Stored:
    rows = open_existing(target, table, key, touched)
    there = rows.join(touched, on=touched.columns, how="semi", maintain_order="left")
    return Stored(table, there, frozenset(table.names))


def require_user(user: str | None, offered: Sequence[Database]) -> None:
    """Raise UsageError where no backup has a row of the only user whose rows are asked for."""
    if user is not None and not any(has_rows_of(one, user) for one in offered):
        raise UsageError(
            f"--user {user}: none of the backups has a row of that user; nothing was changed; "
            "check the id"
        )


def _asked_for(run: Run, held: Database, offered: Database) -> Database:
    """Return what a backup offers, less what is not wanted of it."""
    wanted = without_revoked(offered, held)
    return wanted if run.request.user is None else of_user(wanted, run.request.user)
