"""Proving, inside the transaction, that what was written is what was planned."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from neotoma_core.encryption import open_cells
from neotoma_core.errors import VerificationFailed
from neotoma_core.ops.planning import RecoveryPlan
from neotoma_core.reduce.exact import ObservationRow, reduce_entity
from neotoma_core.report.recovery import Check
from neotoma_core.store import checks
from neotoma_core.tables import BY_NAME, MERGED

_SAMPLE: Final = 100
_DERIVED: Final = ("entity_snapshots", "relationship_snapshots")


def verify_publication(
    connection: sqlite3.Connection, plan: RecoveryPlan, columns: Mapping[str, Sequence[str]]
) -> tuple[Check, ...]:
    """Return every check, all passed; raises VerificationFailed otherwise, which rolls back."""
    done = tuple(
        Check(name, passed=not problems, detail="; ".join(problems) or proven)
        for name, proven, problems in (
            ("accounted", *_accounted(connection, plan)),
            ("written", *_written(connection, columns)),
            ("referenced", *_referenced(connection, plan)),
            ("intact", *_intact(connection)),
            ("re-reduced", *_rereduced(connection, plan)),
        )
    )
    failed = tuple(f"{check.name}: {check.detail}" for check in done if not check.passed)
    if failed:
        raise VerificationFailed(f"target {plan.run.request.target}", failed)
    return done


def _accounted(connection: sqlite3.Connection, plan: RecoveryPlan) -> tuple[str, list[str]]:
    """Every merged table has the rows it had and the rows inserted, no more and no fewer."""
    problems = []
    rows = 0
    stored = plan.target.tables if plan.target else {}
    for name, merge in plan.merge.tables.items():
        had = stored[name].read if name in stored else 0
        expected = had + merge.inserted.height
        found = checks.count_rows(connection, name)
        rows += found
        if found != expected:
            problems.append(f"{name} has {found:,} rows, {expected:,} were planned")
    return f"{rows:,} rows in {len(MERGED)} tables", problems


def _written(
    connection: sqlite3.Connection, columns: Mapping[str, Sequence[str]]
) -> tuple[str, list[str]]:
    """Every staged row is in the target, cell for cell; every removed one is gone."""
    problems = []
    rows = 0
    derived = {name: BY_NAME[name].names for name in _DERIVED}
    staged = [("insert", name, names) for name, names in columns.items()]
    staged += [("write", name, names) for name, names in derived.items()]
    for kind, name, names in staged:
        there = checks.count_written(connection, BY_NAME[name], f"{kind}_{name}", names)
        expected = checks.count_staged(connection, f"{kind}_{name}")
        rows += there
        if there != expected:
            problems.append(f"{name}: {there:,} of {expected:,} rows are there as staged")
    for name in _DERIVED:
        left = checks.count_staged_keys(connection, BY_NAME[name], f"remove_{name}")
        if left:
            problems.append(f"{name}: {left:,} rows are still there")
    return f"{rows:,} rows compared cell by cell", problems


def _referenced(connection: sqlite3.Connection, plan: RecoveryPlan) -> tuple[str, list[str]]:
    """No reference leads nowhere but those that already did where their row came from."""
    planned = {(t, c): rows for t, c, rows, _ in plan.merge.dangling.iter_rows()}
    lost = plan.merge.dangling.filter(pl.col("new") > 0)
    problems = [f"{t}.{c}: {new:,} references would be lost" for t, c, _, new in lost.iter_rows()]
    for table, column, rows in checks.count_dangling(connection):
        if rows > planned.get((table, column), 0):
            problems.append(f"{table}.{column}: {rows:,} references lead nowhere")
    return "no reference was lost", problems


def _intact(connection: sqlite3.Connection) -> tuple[str, list[str]]:
    return "integrity and foreign keys", checks.integrity_problems(connection)[:3]


def _rereduced(connection: sqlite3.Connection, plan: RecoveryPlan) -> tuple[str, list[str]]:
    """A sample of written snapshots, reduced again row by row from what the target now holds."""
    written = plan.entities.change.written["entity_id"].sort()
    sample = written.gather_every(max(1, written.len() // _SAMPLE)).to_list()
    rows = list(_read_open(connection, plan, "observations", sample))
    snapshots = _read_open(connection, plan, "entity_snapshots", sample)
    stored = {row["entity_id"]: row for row in snapshots}
    unreadable = set(plan.entities.reduction.unreadable["observation_id"])
    wrong = [
        entity
        for entity, observations in _by_entity(rows, unreadable)
        if not _same_snapshot(observations, stored.get(entity), plan)
    ]
    problems = [f"{len(wrong):,} of {len(sample):,} entity snapshots differ"] if wrong else []
    return f"{len(sample):,} entity snapshots reduced again row by row", problems


def _read_open(
    connection: sqlite3.Connection, plan: RecoveryPlan, name: str, entities: Sequence[str]
) -> Iterator[dict[str, object]]:
    """Yield the rows of some entities from the target, their sealed values opened."""
    for row in checks.read_where(connection, BY_NAME[name], "entity_id", entities):
        yield open_cells(BY_NAME[name], row, plan.key) if plan.key else row


def _by_entity(
    rows: list[dict[str, object]], unreadable: set[str]
) -> Iterator[tuple[object, list[ObservationRow]]]:
    grouped: dict[object, list[ObservationRow]] = {}
    names = ObservationRow.__dataclass_fields__
    for row in rows:
        if row["id"] not in unreadable:
            observation = ObservationRow(**{name: row[name] for name in names})  # type: ignore[arg-type]  # cells as SQLite types them, checked when they were extracted
            grouped.setdefault(row["entity_id"], []).append(observation)
    yield from grouped.items()


def _same_snapshot(
    observations: list[ObservationRow], stored: dict[str, object] | None, plan: RecoveryPlan
) -> bool:
    expected = reduce_entity(observations, plan.registry)
    if expected is None or stored is None:
        return expected is None and stored is None
    return all(
        getattr(expected, name) == cell for name, cell in stored.items() if hasattr(expected, name)
    )
