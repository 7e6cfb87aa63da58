"""The merge plan: every table merged, every row accounted for. Nothing is written by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from neotoma_core.merge.accounting import RowCounts
from neotoma_core.frames import ORIGIN, TARGET
from neotoma_core.merge.frames import Offered
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.merge.references import find_dangling, rewrite_references
from neotoma_core.merge.table import CONFLICTS, REMAPPED, TableMerge, merge_table
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


def plan_merge(target: Database, backups: Sequence[Database], policy: MergePolicy) -> MergePlan:
    """Plan the merge of ``backups`` into ``target``: for every merged table what it offers."""
    remapped = [REMAPPED.to_frame() for _ in backups]
    tables: dict[str, TableMerge] = {}
    for table in MERGED:
        offered = [
            _rewritten(table, backup[table.name], ids)
            for backup, ids in zip(backups, remapped, strict=True)
        ]
        tables[table.name] = merge = merge_table(table, target[table.name], offered, policy)
        if table.name == "sources":
            remapped = [
                merge.remapped.filter(pl.col("backup") == number) for number in range(len(backups))
            ]
    origins = {TARGET: target, **dict(enumerate(backups))}
    return MergePlan(
        tables,
        tuple(count for merge in tables.values() for count in merge.counts),
        pl.concat([CONFLICTS.to_frame(), *(merge.conflicts for merge in tables.values())]),
        find_dangling({name: merge.merged for name, merge in tables.items()}, origins),
        pl.concat([REMAPPED.to_frame(), *remapped]),
    )


def _rewritten(table: Table, offered: Offered, remapped: pl.DataFrame) -> Offered:
    rows = rewrite_references(table, offered.rows, remapped)
    return Offered(rows, offered.columns, offered.quarantined)


def touched_entities(plan: MergePlan, retyped: Sequence[str]) -> pl.DataFrame:
    """Return ``entity_id`` of every entity whose state the merge can change.

    Those that gained or changed an observation, and all entities of a ``retyped`` type: one that
    reduces by another schema than before.
    """
    observations = plan.tables["observations"]
    touched = pl.col(ORIGIN) != TARGET
    if retyped:
        touched = touched | pl.col("entity_type").is_in(retyped)
    return observations.merged.filter(touched).select("entity_id").unique(maintain_order=True)


def touched_relationships(plan: MergePlan) -> pl.DataFrame:
    """Return ``relationship_key`` of every relationship that gained or changed an observation."""
    merged = plan.merged("relationship_observations")
    changed = merged.filter(pl.col(ORIGIN) != TARGET)
    return changed.select("relationship_key").unique(maintain_order=True)
