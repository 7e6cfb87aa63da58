"""Proving, inside the transaction, that what was written is what was planned."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import polars as pl

from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.publication import checks
from neotoma_core.publication import merge_proofs as proving_merges
from neotoma_core.publication import proofs as proving
from neotoma_core.publication.proofs import Check
from neotoma_core.publication.staging import TableWrite
from neotoma_core.recovery.plan import RecoveryPlan
from neotoma_core.snapshots.sampling import sample_of, spread
from neotoma_core.sources.unread import find_held_elsewhere

_SAMPLE: Final = 100
_SQLITES_OWN: Final = "sqlite_"  # how the names of tables begin that SQLite itself writes to


def verify_publication(
    connection: sqlite3.Connection,
    plan: RecoveryPlan,
    writes: Sequence[TableWrite],
    changes: int,
) -> tuple[Check, ...]:
    """Return every check, all passed; raises VerificationFailed otherwise, which rolls back.

    ``changes``: rows that were inserted, changed and deleted.
    """
    proofs: tuple[tuple[str, Callable[[sqlite3.Connection], proving.Proof]], ...] = (
        ("accounted", partial(_prove_counts, plan=plan, writes=writes, changes=changes)),
        ("written", partial(proving.prove_written, writes=writes)),
        ("referenced", partial(_prove_references, plan=plan, writes=writes)),
        ("intact", partial(_prove_intact, plan=plan, writes=writes)),
        ("re-reduced", partial(_prove_reduction, plan=plan)),
        ("acyclic", proving_merges.prove_acyclic),
        ("settled", partial(proving_merges.prove_no_new_zombies, before=plan.zombies)),
    )
    return proving.all_passed(f"target {plan.run.path}", proving.prove_each(connection, proofs))


def _prove_counts(
    connection: sqlite3.Connection, plan: RecoveryPlan, writes: Sequence[TableWrite], changes: int
) -> proving.Proof:
    """Merged and derived tables have the rows planned, every other table has the rows it had."""
    stored = plan.target.tables if plan.target else {}
    expected = {n: t.read for n, t in stored.items() if not n.startswith(_SQLITES_OWN)}
    for name, merge in plan.merge.tables.items():
        leaving = plan.merge.removed[name].height if name in plan.merge.removed else 0
        expected[name] = expected.get(name, 0) + merge.inserted.height - leaving
    for decided in plan.derived:
        name, change = decided.table.name, decided.change
        expected[name] = expected.get(name, 0) + change.inserted - change.removed.height
    # A carried table that nothing was added to may not be there, and need not.
    there = {n: rows for n, rows in expected.items() if rows or n in stored or n in BY_NAME}
    planned = sum(r.change.writes + r.change.updated for r in plan.derived)
    planned += sum(rows.height for rows in plan.merge.removed.values())
    for write in writes:
        merge = plan.merge.tables[write.table.name]
        planned += merge.inserted.height + (merge.replaced.height if write.replaced else 0)
    return proving.prove_counts(connection, there, changes, planned)


def _prove_references(
    connection: sqlite3.Connection, plan: RecoveryPlan, writes: Sequence[TableWrite]
) -> proving.Proof:
    """No written row refers to what is not there, unless that was not there before either."""
    lost = plan.merge.dangling.filter(pl.col("new") > 0)
    problems = [f"{t}.{c}: {new:,} references would be lost" for t, c, _, new in lost.iter_rows()]
    for write in writes:
        for column, rows in checks.count_dangling(connection, write):
            more = rows - _count_dangling_planned(plan, write.table, column)
            if more > 0:
                problems.append(f"{write.table.name}.{column}: {more:,} references lead nowhere")
    return "no reference was lost", problems


def _count_dangling_planned(plan: RecoveryPlan, table: Table, column: str) -> int:
    """Return how many of the rows to write refer, by a column, to nothing that will be there."""
    merge, refers = plan.merge.tables[table.name], table.column(column).refers or ""
    used = pl.concat([merge.inserted, merge.replaced]).select(id=column).filter(pl.col("id") != "")
    lost = used.join(plan.merge.rows_after(refers).select("id"), on="id", how="anti")
    there = find_held_elsewhere(plan.target)(refers, lost["id"].unique())
    return lost.filter(~pl.col("id").is_in(there.implode())).height


def _prove_intact(
    connection: sqlite3.Connection, plan: RecoveryPlan, writes: Sequence[TableWrite]
) -> proving.Proof:
    written = [write.table.name for write in writes]
    written += [r.table.name for r in plan.derived if r.change.writes]
    return proving.prove_intact(connection, written, plan.target.whole if plan.target else None)


def _prove_reduction(connection: sqlite3.Connection, plan: RecoveryPlan) -> proving.Proof:
    written = spread(plan.entities.change.written["entity_id"], _SAMPLE)
    sample = sample_of(plan.entities, plan.rules, written)
    unreadable = set(plan.entities.reduction.unreadable["observation_id"])
    return proving.prove_reduction(connection, sample, unreadable, plan.rules, plan.key)
