"""What can be proven, inside its transaction, of anything that was written.

Each proof says in words what was proven, and what is wrong.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neotoma_core.errors import VerificationFailed
from neotoma_core.neotoma.cells import cell_of_javascript, cell_of_value
from neotoma_core.neotoma.encryption.columns import open_cells
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.publication import checks
from neotoma_core.publication.beside import connect_beside, list_open_files
from neotoma_core.publication.staging import TableWrite, name_staged
from neotoma_core.reduce.exact.reading import (
    EntitySnapshotRow,
    ObservationRow,
    is_readable,
    reduce_entity,
)
from neotoma_core.snapshots.reading import Rules
from neotoma_core.snapshots.sampling import Sample
from neotoma_core.sqlite.damage import SHOWN_PROBLEMS
from neotoma_core.sqlite.opening import connect_read_only


@dataclass(frozen=True, slots=True)
class Check:
    """One thing proven inside the transaction, before it was committed."""

    name: str
    passed: bool
    detail: str


if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey

Proof = tuple[str, list[str]]

_DERIVED: Final = ("entity_snapshots", "relationship_snapshots")
_OBSERVED: Final = tuple(n for n in ObservationRow.__dataclass_fields__ if n != "rowid")


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


def prove_each(
    connection: sqlite3.Connection,
    proofs: Sequence[tuple[str, Callable[[sqlite3.Connection], Proof]]],
) -> list[tuple[str, Proof]]:
    """Return named proofs in their order; two at a time, unless a transaction hides what it wrote.

    Without a transaction, nobody may write to what the connection has open.
    """
    done: dict[str, Proof] = {}
    left = iter(proofs)

    def prove_some(using: sqlite3.Connection) -> None:
        for name, prove in left:
            done[name] = prove(using)

    def prove_some_beside(files: Mapping[str, Path]) -> None:
        with connect_beside(files) as another:
            prove_some(another)

    if connection.in_transaction:
        prove_some(connection)
    else:
        with ThreadPoolExecutor(max_workers=1) as pool:
            beside = pool.submit(prove_some_beside, list_open_files(connection))
            prove_some(connection)
            beside.result()
    return [(name, done[name]) for name, _ in proofs]


def prove_counts(
    connection: sqlite3.Connection, expected: Mapping[str, int], changes: int, planned: int
) -> Proof:
    """Every table has the rows it is expected to have, and no other row was written to.

    ``changes``: rows that were inserted, changed and deleted; ``planned``: how many that should be,
    a snapshot that is replaced counting twice.
    """
    found = {name: checks.count_rows(connection, name) for name in expected}
    problems = [
        f"{name} has {rows:,} rows, {expected[name]:,} were planned"
        for name, rows in found.items()
        if rows != expected[name]
    ]
    if changes != planned:
        problems.append(f"{changes:,} rows were written or deleted, {planned:,} were planned")
    return f"{sum(found.values()):,} rows in {len(found)} tables", problems


def prove_written(connection: sqlite3.Connection, writes: Sequence[TableWrite]) -> Proof:
    """Every staged row is in the target, cell for cell; every removed one is gone."""
    found = list(_count_written(connection, writes))
    problems = [
        f"{name}: {there:,} of {expected:,} rows are there as staged"
        for name, there, expected in found
        if there != expected
    ]
    for write in writes:
        staying = checks.count_staying(connection, write.table) if write.loses else 0
        if staying:
            problems.append(f"{write.table.name}: {staying:,} rows are still there")
    for name in _DERIVED:
        left = checks.count_staged_keys(connection, BY_NAME[name], name_staged("remove", name))
        if left:
            problems.append(f"{name}: {left:,} rows are still there")
    return f"{sum(there for _, there, _ in found):,} rows compared cell by cell", problems


def _count_written(
    connection: sqlite3.Connection, writes: Sequence[TableWrite]
) -> Iterator[tuple[str, int, int]]:
    """Yield a table, how many of its rows are there as they were to be written, and how many were.

    The rows that it gains, and those that take another's place.
    """
    derived = [
        (BY_NAME[name], name_staged("write", name), BY_NAME[name].names) for name in _DERIVED
    ]
    gained = [(write.table, write.gained, write.columns) for write in writes]
    for table, place, columns in (*gained, *derived):
        there = checks.count_written(connection, table, place, columns)
        yield table.name, there, checks.count_staged(connection, place)
    for write in writes:
        if not write.whole:
            expected = checks.count_staged(connection, name_staged("replace", write.table.name))
            there = checks.count_replaced(connection, write) if expected else 0
            yield write.table.name, there, expected


def prove_intact(
    connection: sqlite3.Connection, written: Iterable[str], whole: Path | None
) -> Proof:
    """Tables written to are sound, and no foreign key leads nowhere that did not do so before.

    The other tables were proven when the same bytes were read. ``whole``: the copy that was read;
    None where there was nothing.
    """
    broken = checks.count_broken_foreign_keys(connection)
    if broken and whole is not None:
        with closing(connect_read_only(whole)) as before:
            broken -= checks.count_broken_foreign_keys(before)
    problems = [
        *checks.find_damaged_tables(connection, dict.fromkeys(written)),
        *checks.say_foreign_keys(broken),
    ]
    return "integrity and foreign keys", problems[:SHOWN_PROBLEMS]


def prove_reduction(
    connection: sqlite3.Connection,
    sample: Sample,
    unreadable: Collection[str],
    rules: Rules,
    key: "DataKey | None",
) -> Proof:
    """A sample of written snapshots, reduced again row by row from what the target now holds.

    ``sample``: ids of entities that have a snapshot now. ``unreadable``: ids of observations that
    take no part.
    """
    read = partial(_read_open, connection, key=key)
    wrong = _differing(read, sample, list(sample), unreadable, rules)
    if wrong:  # for want of a row in an index of a table that was not written to?
        wrong = _differing(partial(read, by_index=False), sample, wrong, unreadable, rules)
    problems = [f"{len(wrong):,} of {len(sample):,} entity snapshots differ"] if wrong else []
    return f"{len(sample):,} entity snapshots reduced again row by row", problems


def _read_open(
    connection: sqlite3.Connection,
    name: str,
    entities: Sequence[str],
    *,
    key: "DataKey | None",
    by_index: bool = True,
) -> Iterator[dict[str, object]]:
    """Yield the rows of some entities from the target, their sealed values opened."""
    rows = checks.read_where(connection, BY_NAME[name], "entity_id", entities, by_index=by_index)
    for row in rows:
        yield open_cells(BY_NAME[name], row, key) if key else row


def _differing(
    read: Callable[[str, Sequence[str]], Iterator[dict[str, object]]],
    sample: Sample,
    entities: Sequence[str],
    unreadable: Collection[str],
    rules: Rules,
) -> list[str]:
    """Return the entities whose snapshot is not what their observations reduce to."""
    observed = _by_entity(read("observations", entities), unreadable)
    stored = {_cell("entity_id", r["entity_id"]): r for r in read("entity_snapshots", entities)}

    def reduce(entity: str) -> EntitySnapshotRow | None:
        rows = observed.get(entity, [])
        if not any(map(is_readable, rows)):
            return None
        return reduce_entity(rows, rules.registry, rules.rules, sample[entity])

    return [e for e in entities if not _same_snapshot(reduce(e), stored.get(e))]


def _by_entity(
    rows: Iterable[dict[str, object]], unreadable: Collection[str]
) -> dict[str, list[ObservationRow]]:
    """Return observations by entity: those that take part, see ``deciding.complete_rows``."""
    grouped: dict[str, list[ObservationRow]] = {}
    required = BY_NAME["observations"].required
    seen = set(unreadable)
    for row in rows:
        cells = {name: _cell(name, row.get(name)) for name in _OBSERVED}
        if cells["id"] in seen or any(cells[name] is None for name in required):
            continue
        observation = ObservationRow(**cells, rowid=row[ROWID])  # type: ignore[arg-type]  # values as SQLite has them
        seen.add(observation.id)
        grouped.setdefault(observation.entity_id, []).append(observation)
    return grouped


def _cell(name: str, value: object) -> object:
    """Return a value of SQLite's as the reducer takes it: texts as cells, numbers as they are."""
    is_text = BY_NAME["observations"].column(name).type == "TEXT"
    return cell_of_value(value) if is_text and isinstance(value, bytes | int | float) else value


def _same_snapshot(expected: EntitySnapshotRow | None, stored: dict[str, object] | None) -> bool:
    if expected is None or stored is None:
        return False
    return all(
        _as_stored(getattr(expected, name)) == cell
        for name, cell in stored.items()
        if name != "entity_id" and hasattr(expected, name)
    )


def _as_stored(value: object) -> object:
    return cell_of_javascript(value) if isinstance(value, str) else value
