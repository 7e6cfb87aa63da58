"""The merges of entities that a database tells of, and whether an archive can undo each."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import polars as pl

from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.errors import UsageError
from neotoma_core.neotoma.cells import sqlite_value
from neotoma_core.row_versions.columns import ARCHIVED_AT, REMOVED, ROW_HASH
from neotoma_core.unmerge.plan import ENDS, EntityMerge, UnmergePlan, plan_unmerge
from neotoma_core.unmerge.reading import UnmergeSource


@dataclass(frozen=True, slots=True)
class Known:
    """What decides about every merge: the rows of a database, and the versions of its archive.

    ``observations``, ``edges``: see ``plan.plan_unmerge``. ``merges``: (id, _archived_at) of the
    audit rows. ``removed``: (_row_hash, _archived_at).
    """

    observations: tuple[pl.DataFrame, pl.DataFrame]
    edges: tuple[pl.DataFrame, pl.DataFrame]
    merges: pl.DataFrame
    removed: pl.DataFrame


def read_known(source: UnmergeSource, archive: Path) -> Known:
    """Read what decides about merges; raises ArchiveError."""
    opened = open_archive(archive)
    observed = ("id", "entity_id", "user_id", ROW_HASH, ARCHIVED_AT)
    related = ("id", "relationship_key", *ENDS, "user_id", ROW_HASH, ARCHIVED_AT)
    return Known(
        (
            source.rows("observations"),
            read_table(opened, "observations", observed).require_whole(),
        ),
        (
            source.rows("relationship_observations"),
            read_table(opened, "relationship_observations", related).require_whole(),
        ),
        read_table(opened, "entity_merges", ("id", ARCHIVED_AT)).require_whole(),
        read_table(opened, REMOVED, (ROW_HASH, ARCHIVED_AT)).require_whole(),
    )


def plan_of(merge: EntityMerge, known: Known) -> UnmergePlan:
    """Decide what of one merge goes back."""
    seen = known.merges.filter(pl.col("id") == merge.id)[ARCHIVED_AT].min()
    removed = known.removed
    # Without the audit row: gone at the last run already, so the merge did not take them.
    before = removed if seen is None else removed.filter(pl.col(ARCHIVED_AT) < seen)
    return plan_unmerge(merge, known.observations, known.edges, before.select(ROW_HASH))


def merges_in(source: UnmergeSource) -> Iterator[EntityMerge]:
    """Yield the merges of a database, the first one first."""
    rows = source.rows("entity_merges").drop_nulls(["id", "from_entity_id", "to_entity_id"])
    for row in rows.sort("created_at", "id").iter_rows(named=True):
        yield EntityMerge(
            row["id"],
            row["from_entity_id"],
            row["to_entity_id"],
            row["user_id"],
            _number(row["observations_rewritten"]),
            row["created_at"],
        )


def require_merge(source: UnmergeSource, merge_id: str) -> EntityMerge:
    """Return one merge; raises UsageError where there is none of that id."""
    found = next((one for one in merges_in(source) if one.id == merge_id), None)
    if found is None:
        raise UsageError(
            f"target {source.target}: no merge {merge_id}; nothing was changed; `midden merges` "
            "lists them"
        )
    return found


def require_last(source: UnmergeSource, merge: EntityMerge) -> None:
    """Raise UsageError where the merge is undone already, or merged on since."""
    entities = source.rows("entities")
    pointers = dict(entities.select("id", "merged_to_entity_id").drop_nulls("id").iter_rows())
    if pointers.get(merge.merged) != merge.survivor:
        raise UsageError(
            f"merge {merge.id}: entity {merge.merged} is not merged into {merge.survivor} now; "
            "nothing was changed"
        )
    if pointers.get(merge.survivor):
        raise UsageError(
            f"merge {merge.id}: {merge.survivor} was merged on into another entity since; nothing "
            "was changed; undo that merge first"
        )


def _number(cell: str | None) -> int:
    """Return the number a cell states; 0 where it states none."""
    value = sqlite_value(cell)
    return int(value) if isinstance(value, int | float) and isfinite(value) else 0
