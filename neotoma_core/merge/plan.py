"""The merge plan: every table merged, every row accounted for. Nothing is written by it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from neotoma_core.frames import ORIGIN, ROWID, TARGET, TARGET_ROWID, values_of
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.frames import Offered
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.merge.references import find_dangling, rewrite_references
from neotoma_core.merge.table import CONFLICTS, REMAPPED, TableMerge
from neotoma_core.merge.whole_rows import merge_with_keyless
from neotoma_core.policies import Registry
from neotoma_core.tables import MERGED, Table

Database = Mapping[str, Offered]


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What a merge will do.

    ``conflicts``: see ``TableMerge``. ``dangling``: see ``find_dangling``. ``remapped``: the ids
    of sources that another id stands for, per backup.
    """

    tables: Mapping[str, TableMerge]
    counts: tuple[RowCounts, ...]
    conflicts: pl.DataFrame
    dangling: pl.DataFrame
    remapped: pl.DataFrame

    def merged(self, table: str) -> pl.DataFrame:
        """Return every row a table will have."""
        return self.tables[table].merged

    @property
    def writes(self) -> int:
        """Log and registry rows that will be inserted or replaced."""
        return sum(t.inserted.height + t.replaced.height for t in self.tables.values())


def plan_merge(
    target: Database,
    backups: Sequence[Database],
    policy: MergePolicy,
    carried: Sequence[Table] = (),
) -> MergePlan:
    """Plan the merge of ``backups`` into ``target``: for every merged table what it offers.

    ``carried``: the tables beside Neotoma's own.
    """
    remapped = REMAPPED.to_frame()
    tables: dict[str, TableMerge] = {}
    for table in (*MERGED, *carried):
        merge = merge_one(table, target, backups, policy, remapped)
        tables[table.name] = merge
        if table.name == "sources":
            remapped = merge.remapped
    origins = {TARGET: target, **dict(enumerate(backups))}
    return MergePlan(
        tables,
        tuple(count for merge in tables.values() for count in merge.counts),
        pl.concat([CONFLICTS.to_frame(), *(merge.conflicts for merge in tables.values())]),
        find_dangling({name: merge.merged for name, merge in tables.items()}, origins),
        remapped,
    )


def merge_one(
    table: Table,
    target: Database,
    backups: Sequence[Database],
    policy: MergePolicy,
    remapped: pl.DataFrame,
) -> TableMerge:
    """Merge one table, its references to ``remapped`` sources rewritten first."""
    offered = [
        _rewritten(table, backup[table.name], remapped.filter(pl.col("backup") == number))
        for number, backup in enumerate(backups)
    ]
    return merge_with_keyless(table, target[table.name], offered, policy)


def _rewritten(table: Table, offered: Offered, remapped: pl.DataFrame) -> Offered:
    rows = rewrite_references(table, offered.rows, remapped)
    return Offered(rows, offered.columns, offered.quarantined)


def touched_entities(plan: MergePlan, target: Database, retyped: Collection[str]) -> pl.DataFrame:
    """Return ``entity_id`` of every entity whose state the merge can change.

    Those that gain an observation, have one replaced or lose one to another entity, and all
    entities of a ``retyped`` type: one that reduces by another schema than before.
    """
    observations = plan.tables["observations"]
    touched = (pl.col(ORIGIN) != TARGET) | pl.col("entity_type").is_in(list(retyped))
    displaced = target["observations"].rows.join(
        observations.replaced.select(pl.col(TARGET_ROWID).alias(ROWID)), on=ROWID, how="semi"
    )
    both = [observations.merged.filter(touched), displaced]
    return pl.concat([rows.select("entity_id") for rows in both]).unique().sort("entity_id")


def retyped_entities(plan: MergePlan, before: Registry, after: Registry) -> frozenset[str]:
    """Return the entity types that reduce by another schema than before."""
    observations = plan.merged("observations")
    users = observations["user_id"].unique()
    return frozenset(
        name
        for name in observations["entity_type"].drop_nulls().unique()
        if any(before.schema_for(name, user) != after.schema_for(name, user) for user in users)
    )


def registry_of(rows: pl.DataFrame) -> Registry:
    """Read the schemas of registry rows, which are in order of insertion."""
    return Registry.from_rows(rows.select(values_of(rows)).iter_rows(named=True))


def touched_relationships(plan: MergePlan) -> pl.DataFrame:
    """Return ``relationship_key`` of every relationship that gained or changed an observation."""
    merged = plan.merged("relationship_observations")
    changed = merged.filter(pl.col(ORIGIN) != TARGET)
    return changed.select("relationship_key").unique(maintain_order=True)
