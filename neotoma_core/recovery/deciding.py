"""Deciding on the snapshots of a merged log: those a recovery touches, and stale others."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from neotoma_core.lineage.offers import as_they_will_lie
from neotoma_core.merge.plan import MergePlan
from neotoma_core.neotoma.tables import Table
from neotoma_core.recovery.stale_before import MOST, StaleBefore, nothing_stale, stale_before
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
from neotoma_core.sources.extract import Extract
from neotoma_core.sources.opening import open_existing
from neotoma_core.sources.unread import with_unread

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey

_OBSERVATIONS: Final = "observations"
_EDGES: Final = "relationship_observations"


@dataclass(frozen=True, slots=True)
class MergedLog:
    """What snapshots are decided from: the merged log, and what the target has of them.

    ``key`` opens what is sealed, where anything is. ``now``: ISO time of the computation. In the
    methods ``entities`` and ``edges`` are frames of one column: the keys that are touched.
    """

    merge: MergePlan
    target: Extract | None
    key: "DataKey | None"
    rules: Rules
    now: str

    def decide_entities(self, entities: pl.DataFrame) -> Decided:
        """Decide on the snapshots of some entities."""
        log = self._log_of(_OBSERVATIONS, entities)
        return decide_entities(log, self._read_stored(ENTITY_SNAPSHOTS, entities), self.rules)

    def decide_relationships(self, edges: pl.DataFrame) -> Decided:
        """Decide on the snapshots of some relationships."""
        log = self._log_of(_EDGES, edges)
        return decide_relationships(
            log, self._read_stored(RELATIONSHIP_SNAPSHOTS, edges), now=self.now
        )

    def find_stale(self, entities: pl.DataFrame, edges: pl.DataFrame) -> StaleBefore:
        """Return which of the other snapshots are stale; a large target's are not compared."""
        if self.target is None:
            return nothing_stale(compared=True)
        if self.target.is_narrowed or self.merge.rows_after(_OBSERVATIONS).height > MOST:
            return nothing_stale(compared=False)
        observations = self._rest(_OBSERVATIONS, entities)
        relationships = self._rest(_EDGES, edges)
        others = self._read_stored(ENTITY_SNAPSHOTS, entities, beside=True)
        other_edges = self._read_stored(RELATIONSHIP_SNAPSHOTS, edges, beside=True)
        return stale_before(
            decide_entities(observations, others, self.rules),
            decide_relationships(relationships, other_edges, now=self.now),
            observations,
            relationships,
            self._history(),
        )

    def _history(self) -> History:
        schemas = past_schemas(self.merge.rows_after("schema_registry"))
        audits = self.merge.rows_after("entity_merges")["to_entity_id"].drop_nulls()
        survivors = frozenset({*audits, *self.merge.lineage.survivors})
        return History(self.rules, schemas, survivors)

    def _log_of(self, name: str, touched: pl.DataFrame) -> pl.DataFrame:
        """Return all observations that what is touched will have."""
        column = touched.columns[0]
        rows = with_unread(self.target, name, self.merge.rows_after(name), column, touched[column])
        return as_they_will_lie(rows).join(touched, on=column, how="semi", maintain_order="left")

    def _rest(self, name: str, touched: pl.DataFrame) -> pl.DataFrame:
        """Return the observations of everything else."""
        rows = as_they_will_lie(self.merge.rows_after(name))
        return rows.join(touched, on=touched.columns, how="anti", maintain_order="left")

    def _read_stored(self, table: Table, touched: pl.DataFrame, *, beside: bool = False) -> Stored:
        """Return what is stored of what is touched, or of everything ``beside`` it."""
        rows = open_existing(self.target, table, self.key, touched)
        how: Literal["anti", "semi"] = "anti" if beside else "semi"
        wanted = rows.join(touched, on=touched.columns, how=how, maintain_order="left")
        return Stored(table, wanted, frozenset(table.names))
