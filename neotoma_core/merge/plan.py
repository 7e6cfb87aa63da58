"""The merge plan: every table merged, every row accounted for. Nothing is written by it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from neotoma_core.lineage.ancestry import Ancestry
from neotoma_core.lineage.lineage import Database, Lineage, lineage_of
from neotoma_core.lineage.merged_away import MergedAway
from neotoma_core.lineage.references import (
    Elsewhere,
    find_dangling,
    nowhere,
    rewrite_references,
)
from neotoma_core.lineage.repointing import EDGES, repoint
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.choosing import Rules
from neotoma_core.merge.decisions import DECISIONS
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.merge.proven_rows import earlier_names
from neotoma_core.merge.table import CONFLICTS, TableMerge
from neotoma_core.merge.whole_rows import merge_with_keyless
from neotoma_core.neotoma.frames import ROWID, TARGET, TARGET_ROWID, as_javascript_reads, values_of
from neotoma_core.neotoma.schemas import Registry
from neotoma_core.neotoma.tables import MERGED, Table

_SCHEMA_TEXTS: Final = ("schema_version", "schema_definition", "reducer_config")


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What a merge will do.

    ``conflicts``: see ``TableMerge``. ``dangling``: see ``find_dangling``. ``lineage``: the merges
    of entities any database knows of. ``rules``, ``offers`` (by origin, repointed): what it was
    made of. ``removed``: by table, rows of the target that leave, as they are: edges that would
    lead from an entity to itself.
    """

    tables: Mapping[str, TableMerge]
    counts: tuple[RowCounts, ...]
    conflicts: pl.DataFrame
    dangling: pl.DataFrame
    lineage: Lineage
    rules: Rules
    offers: Mapping[int, Database]
    removed: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    def rows_after(self, table: str) -> pl.DataFrame:
        """Return the rows a table will have, less those of the target that were not read."""
        return self.tables[table].merged

    def count_overwritten(self, table: str) -> int:
        """Return how many rows of the target's give way to a version that contradicts theirs."""
        lost = (pl.col("table") == table) & (pl.col("keep") == "source")
        decided = self.conflicts.filter(lost & (pl.col("by") != "three-way"))
        return min(decided["key"].n_unique(), self.tables[table].replaced.height)

    @property
    def altered(self) -> pl.DataFrame:
        """The versions of rows whose id is the hash of another version; see ``TableMerge``."""
        return pl.concat([merge.altered for merge in self.tables.values()])

    @property
    def writes(self) -> int:
        """Log and registry rows that will be inserted, replaced or removed."""
        removed = sum(rows.height for rows in self.removed.values())
        return removed + sum(table.writes for table in self.tables.values())

    @property
    def merged_away(self) -> MergedAway:
        """The entities that another one stands for."""
        to = pl.col("merged_to_entity_id")
        pointing = to.is_not_null() & (to != "") & (to != pl.col("id"))
        entities = self.rows_after("entities").filter(pointing).select("merged_at", entity_id="id")
        users = self.rows_after("entity_merges").select("user_id", entity_id="from_entity_id")
        return MergedAway(
            entities.select("entity_id", "merged_at"),
            users.select("entity_id", "user_id").drop_nulls().unique(),
        )


def plan_merge(  # noqa: PLR0913, PLR0917 - what to merge, by which rules, and what is not at hand
    target: Database,
    backups: Sequence[Database],
    policy: MergePolicy,
    decisions: pl.DataFrame | None = None,
    tables: Sequence[Table] = MERGED,
    elsewhere: Elsewhere = nowhere,
) -> MergePlan:
    """Plan the merge of ``backups`` into ``target``: for every merged table what it offers.

    ``decisions``: see ``decisions.DECISIONS``. ``tables``: those to merge, what is referred to
    before what refers to it. ``elsewhere``: for a target from which only the rows were read that
    the merge can touch.
    """
    databases = {TARGET: target, **dict(enumerate(backups))}
    precedence = policy.precedence(databases)
    lineage = lineage_of([databases[origin] for origin in precedence])
    ancestry = Ancestry(databases)
    rules = Rules(
        policy,
        DECISIONS.to_frame() if decisions is None else decisions,
        ancestry if policy.ancestors else None,
        earlier_names(databases.values()),
    )
    offers = repoint(databases, lineage, precedence)
    loops = target[EDGES].rows.join(offers[TARGET][EDGES].rows, on=ROWID, how="anti")
    merges: dict[str, TableMerge] = {}
    for table in tables:
        offers = _referring_to_kept(offers, table, merges)
        merges[table.name] = merge_one(table, offers, rules)
    return MergePlan(
        merges,
        tuple(
            count
            for name, merge in merges.items()
            for count in _count_rows(merge, offers[TARGET][name].rows.height, databases)
        ),
        pl.concat([CONFLICTS.to_frame(), *(merge.conflicts for merge in merges.values())]),
        find_dangling({name: merge.merged for name, merge in merges.items()}, databases, elsewhere),
        lineage,
        rules,
        offers,
        {EDGES: loops} if loops.height else {},
    )


def _count_rows(
    merge: TableMerge, of_target: int, databases: Mapping[int, Database]
) -> Iterator[RowCounts]:
    """Yield the counts of a merge, held against what was read and what came of it.

    ``of_target``: rows. ``databases``: as stored. Raises ValueError where a row is lost or made up.
    """
    new = sum(count.inserted for count in merge.counts)
    if merge.merged.height != of_target + new:
        found = f"{merge.merged.height} merged rows, not {of_target} and {new} new ones"
        raise ValueError(f"{merge.table.name}: {found}")
    for count in merge.counts:
        yield replace(count, read=databases[count.backup][merge.table.name].read)


def merge_one(table: Table, offers: Mapping[int, Database], rules: Rules) -> TableMerge:
    """Merge one table of all databases, by origin."""
    backups = [offers[origin][table.name] for origin in sorted(offers) if origin != TARGET]
    return merge_with_keyless(table, offers[TARGET][table.name], backups, rules)


def _referring_to_kept(
    offers: Mapping[int, Database], table: Table, merges: Mapping[str, TableMerge]
) -> dict[int, Database]:
    """Rewrite a table's references to rows that others of the same meaning stand for."""
    if "sources" not in merges:
        return dict(offers)
    remapped = merges["sources"].remapped
    return {
        origin: {
            **database,
            table.name: rewrite_references(
                table, database[table.name], remapped.filter(pl.col("backup") == origin)
            ),
        }
        for origin, database in offers.items()
    }


def find_touched_entities(
    plan: MergePlan, target: Database, retyped: Collection[str]
) -> pl.DataFrame:
    """Return ``entity_id`` of every entity whose state the merge can change.

    Those that gain an observation, have one replaced or lose one to another entity, those that any
    database knows to be merged and their survivors, which Neotoma leaves stale (format, 7.3), and
    all entities of a ``retyped`` type: one that reduces by another schema than before.
    """
    retyped_rows = plan.rows_after("observations").filter(
        pl.col("entity_type").is_in(list(retyped))
    )
    entities = plan.tables["entities"]
    merged_now = pl.concat([entities.inserted, entities.replaced]).filter(
        pl.col("merged_to_entity_id").is_not_null()
    )
    touched = [
        *(rows.select("entity_id") for rows in _find_changed(plan, target, "observations")),
        retyped_rows.select("entity_id"),
        merged_now.select(entity_id="id"),
        plan.lineage.survivors.to_frame(),
    ]
    return pl.concat(touched).unique().sort("entity_id")


def find_touched_relationships(plan: MergePlan, target: Database) -> pl.DataFrame:
    """Return ``relationship_key`` of every relationship that gained, changed or lost something.

    Also of those of a merge's survivors, which Neotoma leaves stale (format, 7.3).
    """
    changed = _find_changed(plan, target, EDGES)
    keys = [rows.select("relationship_key") for rows in changed]
    survivors = plan.lineage.survivors.implode()
    edges = plan.rows_after(EDGES)
    of_survivors = edges.filter(
        pl.col("source_entity_id").is_in(survivors) | pl.col("target_entity_id").is_in(survivors)
    )
    return pl.concat([*keys, of_survivors.select("relationship_key")]).unique(maintain_order=True)


def _find_changed(plan: MergePlan, target: Database, name: str) -> Iterator[pl.DataFrame]:
    """Yield the rows of a table that are new or other than before, and what these were before."""
    merge = plan.tables[name]
    yield merge.inserted
    yield merge.replaced
    places = merge.replaced.select(pl.col(TARGET_ROWID).alias(ROWID))
    yield target[name].rows.join(places, on=ROWID, how="semi")
    if name in plan.removed:
        yield plan.removed[name]


def find_retyped_entities(plan: MergePlan, before: Registry, after: Registry) -> frozenset[str]:
    """Return the entity types that reduce by another schema than before."""
    if before == after:
        return frozenset()
    observations = plan.rows_after("observations")
    users = observations["user_id"].unique()
    return frozenset(
        name
        for name in observations["entity_type"].drop_nulls().unique()
        if any(before.schema_for(name, user) != after.schema_for(name, user) for user in users)
    )


def registry_of(rows: pl.DataFrame) -> Registry:
    """Read the schemas of registry rows, which are in order of insertion."""
    read = as_javascript_reads(rows.select(values_of(rows)), _SCHEMA_TEXTS)
    return Registry.from_rows(read.iter_rows(named=True))
