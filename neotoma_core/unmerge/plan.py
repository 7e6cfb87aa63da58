"""The inverse of a merge of entities: which rows the merge took along, by what they were before.

A merge rewrites rows in place and says only how many (format, 7.3). The archive has every row as
it was before. Upstream: entity_merge.ts.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.neotoma.frames import ROWID
from neotoma_core.row_versions.columns import ARCHIVED_AT, ROW_HASH

ENDS: Final = ("source_entity_id", "target_entity_id")
_EDGE: Final = ("relationship_key", *ENDS)


@dataclass(frozen=True, slots=True)
class EntityMerge:
    """One merge of entities, as its audit row states it. ``user``: whose rows it took along.

    ``rewritten``: how many observations it moved; 0 where the row does not say.
    """

    id: str
    merged: str
    survivor: str
    user: str | None
    rewritten: int
    at: str | None


@dataclass(frozen=True, slots=True)
class UnmergePlan:
    """What goes back.

    ``observations``: (_rowid, id) of the database's rows that go back to the merged entity.
    ``edges``: (_rowid, relationship_key, source_entity_id, target_entity_id), as they were before.
    ``lost``: (_row_hash, _archived_at) of archived edges that the merge removed.
    """

    observations: pl.DataFrame
    edges: pl.DataFrame
    lost: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """Whether nothing goes back."""
        return not (self.observations.height or self.edges.height or self.lost.height)

    def missing(self, merge: EntityMerge) -> int:
        """Return how many observations the merge moved that the archive never saw before it."""
        return max(0, merge.rewritten - self.observations.height)


def plan_unmerge(
    merge: EntityMerge,
    observations: tuple[pl.DataFrame, pl.DataFrame],
    edges: tuple[pl.DataFrame, pl.DataFrame],
    gone_before: pl.DataFrame,
) -> UnmergePlan:
    """Decide what goes back.

    ``observations``, ``edges``: the database's rows (``_rowid`` and columns) and the archive's
    versions (columns, ``_row_hash``, ``_archived_at``). ``gone_before``: (_row_hash) of versions
    that were gone before the archive first saw the merge.
    """
    stored, versions = (_of_user(frame, merge) for frame in observations)
    held, known = (_of_user(frame, merge) for frame in edges)
    return UnmergePlan(
        _observations(merge, stored, versions),
        _edges(merge, held, known),
        _find_lost(merge, held, known.join(gone_before, on=ROW_HASH, how="anti")),
    )


def _of_user(rows: pl.DataFrame, merge: EntityMerge) -> pl.DataFrame:
    """Return the rows a merge could take along: those of its user."""
    return rows if merge.user is None else rows.filter(pl.col("user_id") == merge.user)


def _observations(merge: EntityMerge, stored: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    theirs = stored.filter(pl.col("entity_id") == merge.survivor)
    others = versions.filter(pl.col("entity_id") != merge.survivor)
    before = _last(others, "id").filter(pl.col("entity_id") == merge.merged)
    return theirs.join(before, on="id", how="semi").select(ROWID, "id").sort(ROWID)


def _edges(merge: EntityMerge, stored: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    named = pl.any_horizontal(pl.col(end) == merge.merged for end in ENDS)
    before = _last(versions.filter(named), "id").select("id", *_EDGE)
    after = stored.join(before, on="id", suffix="_before")
    repointed = pl.all_horizontal(
        pl.col(end)
        == pl.when(pl.col(f"{end}_before") == merge.merged)
        .then(pl.lit(merge.survivor))
        .otherwise(f"{end}_before")
        for end in ENDS
    )
    back = after.filter(repointed)
    return back.select(ROWID, *(pl.col(f"{n}_before").alias(n) for n in _EDGE)).sort(ROWID)


def _find_lost(merge: EntityMerge, stored: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    named = pl.any_horizontal(pl.col(end) == merge.merged for end in ENDS)
    last = _last(versions, "id").filter(named)
    return last.join(stored, on="id", how="anti").select(ROW_HASH, ARCHIVED_AT).sort(ROW_HASH)


def _last(versions: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return the last version of every row; two of one moment do not differ in what counts."""
    ordered = versions.drop_nulls(key).sort(ARCHIVED_AT, ROW_HASH)
    return ordered.group_by(key, maintain_order=True).last()
