"""Carrying out an unmerge: snapshots recomputed, rows staged, one proven transaction."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from neotoma_core.neotoma.encryption.columns import seal_rows
from neotoma_core.neotoma.frames import ORIGIN, ROWID, TARGET, TARGET_ROWID
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.publication import proofs as proving
from neotoma_core.publication.proofs import Check
from neotoma_core.publication.staging import (
    Picks,
    RowSource,
    StoredRowSet,
    TableWrite,
    new_staging,
    stage_derived,
    stage_rows,
)
from neotoma_core.publication.transaction import Publication, publish
from neotoma_core.row_versions.cells import cells_of_archived
from neotoma_core.row_versions.database_file import new_database, rows_of_frame
from neotoma_core.runs.evidence import DatabaseEvidence, states_when_locked
from neotoma_core.snapshots.deciding import (
    ENTITY_SNAPSHOTS,
    RELATIONSHIP_SNAPSHOTS,
    Decided,
    decide_entities,
    decide_relationships,
)
from neotoma_core.snapshots.report import DerivedSummary, summarise
from neotoma_core.snapshots.sampling import sample_of
from neotoma_core.unmerge.plan import ENDS, EntityMerge, UnmergePlan
from neotoma_core.unmerge.reading import UnmergeSource

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey

_ARCHIVED: Final = 0  # the origin of rows that come from the archive
_EDGES: Final = "relationship_observations"
_AFTER_ALL: Final = 1 << 62  # rows that are inserted come after all that are there
_SPLITS: Final = "entity_splits"
_REWRITTEN: Final = {
    ORIGIN: pl.Int64,
    ROWID: pl.Int64,
    "column": pl.String,
    "value": pl.String,
}


@dataclass(frozen=True, slots=True)
class Unmerging:
    """What goes back, and the rows that come with it: ``lost`` edges, and the audit of it all."""

    merge: EntityMerge
    plan: UnmergePlan
    lost: pl.DataFrame
    split: pl.DataFrame


@dataclass(frozen=True, slots=True)
class UnmergeDerived:
    """The snapshots that change. ``key``: what they are sealed with, where anything is."""

    entities: Decided
    relationships: Decided
    key: "DataKey | None"

    @property
    def summaries(self) -> tuple[DerivedSummary, ...]:
        """What happens to the rows of both tables."""
        return summarise(self.entities), summarise(self.relationships)


def recompute(source: UnmergeSource, unmerging: Unmerging, now: str) -> UnmergeDerived:
    """Reduce both entities and every edge that changes; ``now``: ISO time of the computation."""
    merge, plan = unmerging.merge, unmerging.plan
    ids = pl.DataFrame({"entity_id": [merge.merged, merge.survivor]})
    stored = source.rows("observations")
    going = pl.col(ROWID).is_in(plan.observations[ROWID].implode())
    owner = pl.when(going).then(pl.lit(merge.merged)).otherwise("entity_id")
    theirs = stored.with_columns(entity_id=owner).join(ids, on="entity_id", how="semi")
    observed, key = source.open("observations", theirs)
    existing, sealed_with = source.open("entity_snapshots", source.rows("entity_snapshots"))
    of_both = existing.join(ids, on="entity_id", how="semi")
    rules = source.rules.without_pointer(merge.merged)
    entities = decide_entities(observed, source.read_snapshots(ENTITY_SNAPSHOTS, of_both), rules)
    return UnmergeDerived(entities, _edges(source, unmerging, now), key or sealed_with)


def _edges(source: UnmergeSource, unmerging: Unmerging, now: str) -> Decided:
    key = "relationship_key"
    stored = source.rows(_EDGES)
    back = unmerging.plan.edges
    after = stored.join(back, on=ROWID, how="left", suffix="_back").with_columns(
        pl.coalesce(f"{name}_back", name).alias(name) for name in (key, *ENDS)
    )
    lost = cells_of_archived(BY_NAME[_EDGES], unmerging.lost).with_columns(
        (pl.int_range(pl.len(), dtype=pl.Int64) + _AFTER_ALL).alias(ROWID)
    )
    every = pl.concat([after.select(lost.columns), lost])
    before = stored.join(back, on=ROWID, how="semi")
    touched = pl.concat([before.select(key), back.select(key), lost.select(key)]).unique()
    theirs = every.join(touched, on=key, how="semi")
    existing, _ = source.open("relationship_snapshots", source.rows("relationship_snapshots"))
    of_touched = existing.join(touched, on=key, how="semi")
    snapshots = source.read_snapshots(RELATIONSHIP_SNAPSHOTS, of_touched)
    return decide_relationships(theirs, snapshots, now=now)


@dataclass(frozen=True, slots=True)
class _Staged:
    """What is written: ``rows`` of the log in all, to the tables of ``writes``, and snapshots."""

    source: UnmergeSource
    unmerging: Unmerging
    derived: UnmergeDerived
    writes: tuple[TableWrite, ...]
    rows: int


def apply_unmerge(
    source: UnmergeSource,
    evidence: DatabaseEvidence,
    unmerging: Unmerging,
    derived: UnmergeDerived,
) -> tuple[Check, ...]:
    """Write it all in one transaction, or nothing, and return what was proven."""
    staging = source.work / "staging.db"
    staged = _stage(staging, source, unmerging, derived)
    as_read = states_when_locked(evidence, source.whole)
    return publish(
        Publication(source.target, staging, as_read, staged.writes),
        lambda connection, changes: _verify(connection, staged, changes),
    )


def _stage(
    staging: Path, source: UnmergeSource, unmerging: Unmerging, derived: UnmergeDerived
) -> _Staged:
    archived = source.work / "archived.db"
    lost, split = rows_of_frame(unmerging.lost), rows_of_frame(unmerging.split)
    new_database(archived, {_EDGES: lost, _SPLITS: split})
    sources = {
        TARGET: _row_source(source),
        _ARCHIVED: RowSource(
            archived,
            {n: StoredRowSet(frozenset(BY_NAME[n].names), "rowid") for n in (_EDGES, _SPLITS)},
        ),
    }
    picked = _picks(source, unmerging)
    writes = []
    with new_staging(staging) as connection:
        for name, picks in picked.items():
            columns = BY_NAME[name].names
            if name in source.stored:
                columns = tuple(n for n in columns if n in source.stored[name].columns)
            write = TableWrite(BY_NAME[name], columns)
            stage_rows(connection, write, picks, sources)
            writes.append(write)
    for decided in (derived.entities, derived.relationships):
        written = decided.change.written
        if derived.key is not None:
            written = seal_rows(decided.table, written, derived.key)
        stage_derived(staging, decided.table, written, decided.change.removed)
    rows = sum(picks.rows.height for picks in picked.values())
    return _Staged(source, unmerging, derived, tuple(writes), rows)


def _row_source(source: UnmergeSource) -> RowSource:
    return RowSource(
        source.whole,
        {
            name: StoredRowSet(frozenset(table.columns), table.facts.rowid)
            for name, table in source.stored.items()
        },
    )


def _picks(source: UnmergeSource, unmerging: Unmerging) -> dict[str, Picks]:
    """Return the rows to write, by table, and the cells of them that are not as stored."""
    merge, plan = unmerging.merge, unmerging.plan
    entities = source.rows("entities").filter(pl.col("id") == merge.merged)[ROWID].to_list()
    cells: dict[str, list[tuple[int, str, str | None]]] = {
        "entities": [
            (row, column, None)
            for row in entities
            for column in ("merged_to_entity_id", "merged_at")
        ],
        "observations": [(row, "entity_id", merge.merged) for row in plan.observations[ROWID]],
        _EDGES: [
            (row[0], column, cell)
            for row in plan.edges.iter_rows()
            for column, cell in zip(plan.edges.columns[1:], row[1:], strict=True)
        ],
    }
    inserted = {_EDGES: unmerging.lost.height, _SPLITS: unmerging.split.height}
    picks = {}
    for name in ("entities", "observations", _EDGES, _SPLITS):
        changed = cells.get(name, [])
        numbers = dict.fromkeys(cell[0] for cell in changed)
        rows: list[tuple[int, int, int | None]] = [(TARGET, n, n) for n in numbers]
        rows += [(_ARCHIVED, number, None) for number in range(1, inserted.get(name, 0) + 1)]
        schema = {ORIGIN: pl.Int64, ROWID: pl.Int64, TARGET_ROWID: pl.Int64}
        rewritten = [(TARGET, *cell) for cell in changed]
        picks[name] = Picks(
            pl.DataFrame(rows, schema=schema, orient="row"),
            pl.DataFrame(rewritten, schema=_REWRITTEN, orient="row"),
        )
    return {name: picked for name, picked in picks.items() if picked.rows.height}


def _verify(connection: sqlite3.Connection, staged: _Staged, changes: int) -> tuple[Check, ...]:
    source, derived = staged.source, staged.derived
    changed = [
        *(write.table.name for write in staged.writes),
        "entity_snapshots",
        "relationship_snapshots",
    ]
    unreadable = set(derived.entities.reduction.unreadable["observation_id"])
    written = derived.entities.change.written["entity_id"]
    rules = source.rules.without_pointer(staged.unmerging.merge.merged)
    sample = sample_of(derived.entities, rules, written)
    return proving.all_passed(
        f"target {source.target}",
        (
            ("accounted", _prove_counts(connection, staged, changes)),
            ("written", proving.prove_written(connection, staged.writes)),
            ("intact", proving.prove_intact(connection, changed, source.whole)),
            (
                "re-reduced",
                proving.prove_reduction(connection, sample, unreadable, rules, derived.key),
            ),
        ),
    )


def _prove_counts(connection: sqlite3.Connection, staged: _Staged, changes: int) -> proving.Proof:
    expected = {name: table.rows for name, table in staged.source.stored.items()}
    expected[_EDGES] = expected.get(_EDGES, 0) + staged.unmerging.lost.height
    expected[_SPLITS] = expected.get(_SPLITS, 0) + staged.unmerging.split.height
    planned = staged.rows
    for decided in (staged.derived.entities, staged.derived.relationships):
        name, change = decided.table.name, decided.change
        expected[name] = expected.get(name, 0) + change.inserted - change.removed.height
        planned += change.writes + change.updated
    return proving.prove_counts(connection, expected, changes, planned)
