"""Common ancestors: a backup from before two databases went their own ways.

A backup is an ancestor of a database that holds every row of its log and none of its entities in an
older state. With one, a difference that only one of two sides made is not a conflict.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from neotoma_core.lineage.lineage import Database
from neotoma_core.neotoma.frames import TARGET

_HELD: Final = (
    "observations",
    "relationship_observations",
    "sources",
    "interpretations",
    "entity_merges",
    "entity_splits",
    "entities",
)


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The ancestors of each database among the backups, computed on demand.

    ``databases``: by origin, as stored, nothing in them rewritten yet. Only a backup
    that another backup comes from, too, is an ancestor.
    """

    databases: Mapping[int, Database]
    _known: dict[tuple[int, int], bool] = field(default_factory=dict)

    def common(self, one: int, other: int) -> int | None:
        """Return the backup that is the latest ancestor of both; None where there is none."""
        shared = [o for o in self.databases if self._is_shared(o, {one, other})]
        return max(shared, key=self._size, default=None)

    def _is_shared(self, origin: int, sides: set[int]) -> bool:
        if origin == TARGET or not all(self._is_ancestor(origin, side) for side in sides):
            return False
        # A lone backup whose rows the target all has may be older, or damaged: who can tell.
        return origin not in sides or self._has_descendant(origin)

    def _has_descendant(self, origin: int) -> bool:
        others = set(self.databases) - {origin, TARGET}
        return any(self._is_ancestor(origin, other) for other in others)

    def _size(self, origin: int) -> int:
        return sum(self.databases[origin][name].rows.height for name in _HELD)

    def _is_ancestor(self, origin: int, of: int) -> bool:
        if (origin, of) not in self._known:
            self._known[origin, of] = origin == of or _precedes(
                self.databases[origin], self.databases[of]
            )
        return self._known[origin, of]


def _precedes(older: Database, newer: Database) -> bool:
    if older["observations"].rows.is_empty():
        return False
    held = all(
        older[name].rows.join(newer[name].rows, on="id", how="anti").is_empty() for name in _HELD
    )
    return held and not _is_ahead(older, newer)


def _is_ahead(one: Database, other: Database) -> bool:
    """Return whether an entity of ``one`` was changed after ``other`` had it."""
    ahead = pl.col("updated_at") > pl.col("updated_at_right")
    columns = ["id", "updated_at"]
    both = (
        one["entities"].rows.select(columns).join(other["entities"].rows.select(columns), on="id")
    )
    return bool(both.select(ahead.any()).item())
