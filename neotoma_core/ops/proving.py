"""What can be proven, inside its transaction, of anything that was written.

Each proof says in words what was proven, and what is wrong.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from neotoma_core.cells import cell_of_javascript
from neotoma_core.encryption import open_cells
from neotoma_core.errors import VerificationFailed
from neotoma_core.frames import ROWID
from neotoma_core.reduce.exact import EntitySnapshotRow, ObservationRow, reduce_entity
from neotoma_core.report.recovery import Check
from neotoma_core.snapshots.deciding import Rules
from neotoma_core.snapshots.sampling import Sample
from neotoma_core.store import checks
from neotoma_core.store.staging import TableWrite
from neotoma_core.tables import BY_NAME

if TYPE_CHECKING:
    from neotoma_core.encryption.key import DataKey

Proof = tuple[str, list[str]]

_DERIVED: Final = ("entity_snapshots", "relationship_snapshots")


def all_passed(subject: str, proofs: Iterable[tuple[str, Proof]]) -> tuple[Check, ...]:
    """Return named proofs as checks, all passed; raises VerificationFailed, which rolls back."""
    done = tuple(
        Check(name, passed=not problems, detail="; ".join(problems) or proven)
        for name, (proven, problems) in proofs
    )
    failed = tuple(f"{check.name}: {check.detail}" for check in done if not check.passed)
    if failed:
        raise VerificationFailed(subject, failed)
    return done


def accounted(connection: sqlite3.Connection, expected: Mapping[str, int]) -> Proof:
    """Every table has the rows it is expected to have."""
    found = {name: checks.count_rows(connection, name) for name in expected}
    problems = [
        f"{name} has {rows:,} rows, {expected[name]:,} were planned"
        for name, rows in found.items()
        if rows != expected[name]
    ]
    return f"{sum(found.values()):,} rows in {len(found)} tables", problems


def written(connection: sqlite3.Connection, writes: Sequence[TableWrite]) -> Proof:
    """Every staged row is in the target, cell for cell; every removed one is gone."""
    problems = []
    rows = 0
    derived = [TableWrite(BY_NAME[name], BY_NAME[name].names) for name in _DERIVED]
    staged = [(kind, write) for write in writes for kind in ("insert", "replace")]
    for kind, write in [*staged, *(("write", write) for write in derived)]:
        name = f"{kind}_{write.table.name}"
        expected = checks.count_staged(connection, name)
        if kind == "replace":
            there = (
                checks.count_replaced(connection, write.table, write.replaced) if expected else 0
            )
        else:
            there = checks.count_written(connection, write.table, name, write.columns)
        rows += there
        if there != expected:
            problems.append(
                f"{write.table.name}: {there:,} of {expected:,} rows are there as staged"
            )
    for write in writes:
        staying = checks.count_staying(connection, write.table) if write.loses else 0
        if staying:
            problems.append(f"{write.table.name}: {staying:,} rows are still there")
    for name in _DERIVED:
        left = checks.count_staged_keys(connection, BY_NAME[name], f"remove_{name}")
        if left:
            problems.append(f"{name}: {left:,} rows are still there")
    return f"{rows:,} rows compared cell by cell", problems


def rereduced(
    connection: sqlite3.Connection,
    sample: Sample,
    unreadable: Collection[str],
    rules: Rules,
    key: "DataKey | None",
) -> Proof:
    """A sample of written snapshots, reduced again row by row from what the target now holds.

    ``unreadable``: the ids of observations that take no part.
    """
    rows = list(_read_open(connection, "observations", list(sample), key))
    snapshots = _read_open(connection, "entity_snapshots", list(sample), key)
    stored = {row["entity_id"]: row for row in snapshots}
    wrong = [
        entity
        for entity, observations in _by_entity(rows, unreadable)
        if not _same_snapshot(
            reduce_entity(observations, rules.registry, rules.rules, sample[entity]),
            stored.get(entity),
        )
    ]
    problems = [f"{len(wrong):,} of {len(sample):,} entity snapshots differ"] if wrong else []
    return f"{len(sample):,} entity snapshots reduced again row by row", problems


def _read_open(
    connection: sqlite3.Connection, name: str, entities: Sequence[str], key: "DataKey | None"
) -> Iterator[dict[str, object]]:
    """Yield the rows of some entities from the target, their sealed values opened."""
    for row in checks.read_where(connection, BY_NAME[name], "entity_id", entities):
        yield open_cells(BY_NAME[name], row, key) if key else row


def _by_entity(
    rows: list[dict[str, object]], unreadable: Collection[str]
) -> Iterator[tuple[str, list[ObservationRow]]]:
    grouped: dict[str, list[ObservationRow]] = {}
    names = [name for name in ObservationRow.__dataclass_fields__ if name != "rowid"]
    for row in rows:
        if row["id"] is not None and row["id"] not in unreadable:
            cells = {name: row.get(name) for name in names}
            observation = ObservationRow(**cells, rowid=row[ROWID])  # type: ignore[arg-type]  # values as SQLite has them
            grouped.setdefault(str(row["entity_id"]), []).append(observation)
    yield from grouped.items()


def _same_snapshot(expected: EntitySnapshotRow | None, stored: dict[str, object] | None) -> bool:
    if expected is None or stored is None:
        return expected is None and stored is None
    return all(
        _as_stored(getattr(expected, name)) == cell
        for name, cell in stored.items()
        if hasattr(expected, name)
    )


def _as_stored(value: object) -> object:
    return cell_of_javascript(value) if isinstance(value, str) else value
