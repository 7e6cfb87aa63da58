"""Reading a target for a rebuild: proven, its log and snapshots in buckets on disk.

What is on disk is as stored: sealed values stay sealed there.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from neotoma_core.comparison.selection import (
    entities_matching,
    entity_types,
    read_merged_away,
    read_survivors,
)
from neotoma_core.errors import KeyMissing, UsageError
from neotoma_core.files.keys import read_key
from neotoma_core.ledger.file import read_erased_around
from neotoma_core.ledger.log import ErasedLog
from neotoma_core.merge.plan import registry_of
from neotoma_core.neotoma.encryption import sealed_rows
from neotoma_core.neotoma.frames import ROWID, frame_schema
from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.rebuild.request import RebuildRun
from neotoma_core.reduce.entities import OBSERVATION
from neotoma_core.reduce.fields.ordering import bucket_of
from neotoma_core.reduce.relationships import EDGE
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.evidence import (
    DatabaseEvidence,
    require_space,
    secure_database,
    write_manifest,
)
from neotoma_core.runs.schemas import completed, schema_rows
from neotoma_core.snapshots.choosing import choose_rules
from neotoma_core.snapshots.explaining import History
from neotoma_core.snapshots.past_schemas import past_schemas
from neotoma_core.snapshots.reading import Rules
from neotoma_core.sqlite.buckets import Buckets
from neotoma_core.sqlite.inspection import (
    StoredObject,
    StoredTable,
    inspect_database,
    names_of,
    require_writable,
)
from neotoma_core.sqlite.opening import (
    check_integrity,
    check_pages,
    connect_read_only,
    make_whole,
)
from neotoma_core.sqlite.streaming import TableSize, measure_table, stream_rows, with_columns
from neotoma_core.words.nearest import nearest_named

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey

# Of the largest table; two buckets are worked on at a time.
_BUCKET_ROWS: Final = 125_000
_BUCKET_BYTES: Final = 32 << 20
_NO_SIZE: Final = TableSize(0, 0, 0, 0)
_LONG: Final = {
    "observations": ("fields",),
    "relationship_observations": ("metadata",),
    "entity_snapshots": ("snapshot", "provenance"),
    "relationship_snapshots": ("snapshot", "provenance"),
}
_READ: Final = {
    "observations": tuple(name for name in OBSERVATION if name != ROWID),
    "relationship_observations": tuple(name for name in EDGE if name != ROWID),
    "entity_snapshots": BY_NAME["entity_snapshots"].names,
    "relationship_snapshots": BY_NAME["relationship_snapshots"].names,
}
ENTITIES: Final = ("observations", "entity_snapshots")
RELATIONSHIPS: Final = ("relationship_observations", "relationship_snapshots")


@dataclass(frozen=True, slots=True)
class Spilled:
    """One table in buckets; ``table`` and ``stored`` have the columns that were read.

    ``rows`` are those of the whole table. ``sealed`` counts rows with an encrypted value.
    """

    table: Table
    stored: frozenset[str]
    buckets: Buckets
    rows: int
    sealed: int


@dataclass(frozen=True, slots=True)
class _Source:
    """A table to read: with the columns wanted, and those of them that are there."""

    whole: Path
    table: Table
    stored: tuple[str, ...]
    size: TableSize

    def parts(self) -> Iterator[pl.DataFrame]:
        if self.stored:
            long = _LONG[self.table.name]
            yield from stream_rows(self.whole, self.table, self.stored, self.size, long)


@dataclass(frozen=True, slots=True)
class Reading:
    """A target, read.

    ``history``: how its snapshots came about. ``erased``: what of the log counts for nothing.
    ``others``: what of the target is neither run nor copied.
    """

    rebuild: RebuildRun
    evidence: DatabaseEvidence
    whole: Path
    stored: Mapping[str, StoredTable]
    history: History
    spilled: Mapping[str, Spilled]
    key: "DataKey | None"
    erased: ErasedLog
    others: tuple[StoredObject, ...] = ()

    @property
    def rules(self) -> Rules:
        """What decides about its snapshots."""
        return self.history.rules

    @property
    def buckets(self) -> int:
        """Buckets that will be reduced, of entities and of relationships."""
        observed = ("observations", "relationship_observations")
        return sum(self.spilled[n].buckets.count for n in observed if n in self.spilled)

    @property
    def sealed(self) -> bool:
        """Whether any row read has an encrypted value: then all that is derived is sealed."""
        return any(spilled.sealed for spilled in self.spilled.values())


Secured = tuple[DatabaseEvidence, Path]
"""The evidence of a database, and the whole copy."""


def _secured(rebuild: RebuildRun, progress: Progress) -> Secured:
    """Copy the target into the run's evidence; return that and the whole copy."""
    run = rebuild.run
    progress.begin("evidence", require_space(run))
    evidence = secure_database(run, rebuild.target, progress)
    write_manifest(run, (evidence,))
    return evidence, make_whole(evidence.copy, rebuild.target.path, run.folders.work / "target")


def read_target(
    rebuild: RebuildRun,
    tables: tuple[str, ...],
    progress: Progress,
    clock: Clock,
    secured: Secured | None = None,
) -> Reading:
    """Secure the target, unless it is, prove its pages and read some of its tables into buckets.

    Raises DiskFull, TargetLocked, BackupUnreadable, BackupDamaged, NotNeotoma, KeyMissing,
    VaultDamaged, UsageError for an unusable key or entities that are not there.
    """
    evidence, whole = secured or _secured(rebuild, progress)
    clock.lap("evidence")
    path = rebuild.target.path
    with closing(connect_read_only(whole)) as connection:
        check_pages(connection, path)
        inspection = inspect_database(connection, path)
    require_writable(inspection, path)
    stored = {table.name: table for table in inspection.tables}
    progress.begin("read", len(tables))
    chosen = _chosen(rebuild, whole, stored)
    spilled: dict[str, Spilled] = {}
    for pair in (ENTITIES, RELATIONSHIPS):
        sources = [_source(whole, stored, name) for name in pair if name in tables]
        count = bucket_count([source.size for source in sources])
        for source in sources:
            spilled[source.table.name] = _spill(rebuild, source, count, chosen)
            progress.advance(1)
    key = rebuild.request.key
    sealed = any(s.sealed for s in spilled.values())
    reading = Reading(
        rebuild,
        evidence,
        whole,
        stored,
        read_history(rebuild, whole, stored),
        spilled,
        read_key(key) if key and sealed else None,
        ErasedLog(read_erased_around(rebuild.run.folders.vault, rebuild.run.request.target)),
        inspection.others,
    )
    clock.lap("read")
    return reading


def read_history(rebuild: RebuildRun, whole: Path, stored: Mapping[str, StoredTable]) -> History:
    """Return how the snapshots of a whole copy came about.

    Raises UsageError or BackupError where a file with schemas was named and cannot be read.
    """
    schemas = schema_rows(whole, stored)
    registry = completed(registry_of(schemas), rebuild.run, rebuild.request.schemas)
    choice = choose_rules(rebuild.request.rules, names_of(stored.values()), registry)
    rules = Rules(registry, choice, read_merged_away(whole, stored))
    return History(rules, past_schemas(schemas), read_survivors(whole, stored))


def prove_indexes(reading: Reading) -> None:
    """Prove that every index of the target has what its table has; raises BackupDamaged."""
    with closing(connect_read_only(reading.whole)) as connection:
        check_integrity(connection, reading.rebuild.target.path)


def bucket_count(sizes: Sequence[TableSize]) -> int:
    """Return how many buckets tables that are compared with each other are cut into."""
    wanted = [max(-(-s.rows // _BUCKET_ROWS), -(-s.bytes // _BUCKET_BYTES)) for s in sizes]
    return max([1, *wanted])


def _source(whole: Path, stored: Mapping[str, StoredTable], name: str) -> _Source:
    table = with_columns(BY_NAME[name], _READ[name])
    present = set(stored[name].columns if name in stored else ()) & set(table.names)
    columns = tuple(sorted(present))
    if name in stored:
        table = replace(table, rowid=stored[name].facts.rowid)
    size = measure_table(whole, table, columns, _LONG[name]) if columns else _NO_SIZE
    return _Source(whole, table, columns, size)


def _chosen(
    rebuild: RebuildRun, whole: Path, stored: Mapping[str, StoredTable]
) -> pl.Series | None:
    """Return the ids of the entities asked for; None where all are."""
    request = rebuild.request
    if not request.narrowed:
        return None
    matching = entities_matching(whole, tuple(stored), request.entities, request.types)
    unknown = sorted(set(request.entities) - set(matching))
    if unknown:
        raise UsageError(
            f"target {request.target}: no entity {', '.join(unknown)}; nothing was changed; "
            "check the id"
        )
    _require_types(rebuild, whole, tuple(stored))
    return matching


def _require_types(rebuild: RebuildRun, whole: Path, tables: tuple[str, ...]) -> None:
    """Raise UsageError for a type that no entity is of, naming the nearest that there is."""
    asked = rebuild.request.types
    types = entity_types(whole, tables) if asked else frozenset()
    for unknown in sorted(set(asked) - types):
        raise UsageError(
            f"target {rebuild.request.target}: no entity of the type {unknown}; nothing was "
            f"changed{nearest_named(unknown, types)}"
        )


def _spill(rebuild: RebuildRun, source: _Source, count: int, chosen: pl.Series | None) -> Spilled:
    table, name = source.table, source.table.name
    buckets = Buckets(rebuild.run.folders.work / name, count, frame_schema(table))
    grouping = _grouping(name)
    sealed = 0
    for part in source.parts():
        rows = part if chosen is None else part.filter(_takes_part(name, chosen))
        sealed += sealed_rows(table, rows).height
        buckets.add(rows, bucket_of(pl.col(grouping), count))
    if sealed and rebuild.request.key is None:
        raise KeyMissing(rebuild.target.path, sealed, name)
    stored = frozenset(source.stored)
    return Spilled(table, stored, buckets, source.size.rows, sealed)


def _grouping(name: str) -> str:
    return "entity_id" if name in ENTITIES else "relationship_key"


def _takes_part(name: str, chosen: pl.Series) -> pl.Expr:
    ends = ("entity_id",) if name in ENTITIES else ("source_entity_id", "target_entity_id")
    return pl.any_horizontal(pl.col(end).is_in(chosen.implode()) for end in ends)
