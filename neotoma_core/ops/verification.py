"""Proving, inside the transaction, that what was written is what was planned."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import polars as pl

from neotoma_core.ops import proving, proving_merges
from neotoma_core.ops.planning import RecoveryPlan
from neotoma_core.report.recovery import Check
from neotoma_core.snapshots.sampling import sample_of, spread
from neotoma_core.store import checks
from neotoma_core.store.staging import TableWrite
from neotoma_core.tables import BY_NAME

_SAMPLE: Final = 100


def verify_publication(
    connection: sqlite3.Connection, plan: RecoveryPlan, writes: Sequence[TableWrite]
) -> tuple[Check, ...]:
    """Return every check, all passed; raises VerificationFailed otherwise, which rolls back."""
    return proving.all_passed(
        f"target {plan.run.request.target}",
        (
            ("accounted", _accounted(connection, plan)),
            ("written", proving.written(connection, writes)),
            ("referenced", _referenced(connection, plan, writes)),
            ("intact", _intact(connection, plan, writes)),
            ("re-reduced", _rereduced(connection, plan)),
            ("acyclic", proving_merges.acyclic(connection)),
            ("settled", proving_merges.settled(connection, plan.zombies)),
        ),
    )


def _accounted(connection: sqlite3.Connection, plan: RecoveryPlan) -> proving.Proof:
    """Every merged table has the rows it had, less those that leave, and the rows inserted."""
    problems = []
    rows = 0
    stored = plan.target.tables if plan.target else {}
    for name, merge in plan.merge.tables.items():
        had = stored[name].read if name in stored else 0
        leaving = plan.merge.removed[name].height if name in plan.merge.removed else 0
        expected = had + merge.inserted.height - leaving
        # A carried table that nothing was added to may not be there, and need not.
        found = checks.count_rows(connection, name) if expected or name in BY_NAME else 0
        rows += found
        if found != expected:
            problems.append(f"{name} has {found:,} rows, {expected:,} were planned")
    return f"{rows:,} rows in {len(plan.merge.tables)} tables", problems


def _referenced(
    connection: sqlite3.Connection, plan: RecoveryPlan, writes: Sequence[TableWrite]
) -> proving.Proof:
    """No reference leads nowhere but those that already did where their row came from."""
    planned = {(t, c): rows for t, c, rows, _ in plan.merge.dangling.iter_rows()}
    lost = plan.merge.dangling.filter(pl.col("new") > 0)
    problems = [f"{t}.{c}: {new:,} references would be lost" for t, c, _, new in lost.iter_rows()]
    for table, names in ((write.table, write.columns) for write in writes):
        for column, rows in checks.count_dangling(connection, table, names):
            if rows > planned.get((table.name, column), 0):
                problems.append(f"{table.name}.{column}: {rows:,} references lead nowhere")
    return "no reference was lost", problems


def _intact(
    connection: sqlite3.Connection, plan: RecoveryPlan, writes: Sequence[TableWrite]
) -> proving.Proof:
    """Every table written to is sound; the others were proven when the same bytes were read."""
    written = [write.table.name for write in writes]
    written += [r.table.name for r in plan.derived if r.change.writes]
    return "integrity and foreign keys", checks.integrity_problems(connection, written)[:3]


def _rereduced(connection: sqlite3.Connection, plan: RecoveryPlan) -> proving.Proof:
    written = spread(plan.entities.change.written["entity_id"], _SAMPLE)
    sample = sample_of(plan.entities, plan.rules, written)
    unreadable = set(plan.entities.reduction.unreadable["observation_id"])
    return proving.rereduced(connection, sample, unreadable, plan.rules, plan.key)
