"""Carrying out a planned erasure in one database: staged, then one proven transaction."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from neotoma_core.erased.naming import naming_columns
from neotoma_core.erasure.plan import ErasurePlan
from neotoma_core.erasure.rows import count_named, erase_rows, stage_erasure
from neotoma_core.neotoma.encryption.columns import seal_rows
from neotoma_core.publication import proofs as proving
from neotoma_core.publication.proofs import Check
from neotoma_core.publication.staging import new_staging, stage_derived
from neotoma_core.publication.transaction import Publication
from neotoma_core.snapshots.sampling import sample_of, spread
from neotoma_core.sqlite.copies import FileState

_SAMPLE: Final = 100


def apply_erasure(
    plan: ErasurePlan, database: Path, as_read: Mapping[str, FileState], work: Path
) -> tuple[Check, ...]:
    """Erase from ``database`` what is planned, all of it or nothing; return what was proven.

    ``as_read``: what its files were when it was read, by suffix. ``work``: a folder for scratch.
    Raises VerificationFailed, TargetLocked, TargetChanged, DiskFull.
    """
    staging = work / "erasing.db"
    with new_staging(staging):
        pass
    stage_erasure(staging, plan.gone, plan.ids)
    for decided in plan.derived:
        written = decided.change.written
        if plan.sealed and plan.data_key is not None:
            written = seal_rows(decided.table, written, plan.data_key)
        stage_derived(staging, decided.table, written, decided.change.removed)
    return erase_rows(
        Publication(database, staging, as_read),
        tuple(plan.gone),
        lambda connection, changes: _verify(connection, plan, database, changes),
        writes_derived=bool(plan.writes_derived),
    )


def _verify(
    connection: sqlite3.Connection, plan: ErasurePlan, database: Path, changes: int
) -> tuple[Check, ...]:
    proofs = [
        ("accounted", _prove_counts(connection, plan, changes)),
        ("gone", _prove_gone(connection, plan)),
    ]
    if plan.writes_derived:
        proofs.append(("written", proving.prove_written(connection, ())))
        proofs.append(("re-reduced", _prove_reduction(connection, plan)))
    proofs.append(("intact", _prove_intact(connection, plan)))
    return proving.all_passed(f"target {database}", proofs)


def _prove_counts(connection: sqlite3.Connection, plan: ErasurePlan, changes: int) -> proving.Proof:
    """Every table has the rows it had, less those that go, and the snapshots planned."""
    expected = {
        name: stored.rows - len(plan.gone.get(name, ())) for name, stored in plan.stored.items()
    }
    for decided in plan.derived:
        name, change = decided.table.name, decided.change
        if name in expected:
            expected[name] += change.inserted - change.removed.height
    planned = plan.writes + sum(decided.change.updated for decided in plan.derived)
    return proving.prove_counts(connection, expected, changes, planned)


def _prove_gone(connection: sqlite3.Connection, plan: ErasurePlan) -> proving.Proof:
    """No cell that names anything names an erased id."""
    problems = []
    for name in plan.tables.names:
        for column, kind in naming_columns(name, plan.stored[name].columns).items():
            left = kind in plan.ids and count_named(connection, name, column, kind)
            if left:
                problems.append(f"{name}.{column}: {left:,} rows still name what was erased")
    erased = sum(map(len, plan.ids.values()))
    return f"{erased:,} ids are named nowhere", problems


def _prove_reduction(connection: sqlite3.Connection, plan: ErasurePlan) -> proving.Proof:
    written = spread(plan.entities.change.written["entity_id"], _SAMPLE)
    sample = sample_of(plan.entities, plan.rules, written)
    unreadable = set(plan.entities.reduction.unreadable["observation_id"])
    return proving.prove_reduction(connection, sample, unreadable, plan.rules, plan.data_key)


def _prove_intact(connection: sqlite3.Connection, plan: ErasurePlan) -> proving.Proof:
    derived = [r.table.name for r in plan.derived if r.change.writes]
    return proving.prove_intact(connection, [*plan.gone, *derived], plan.whole)
