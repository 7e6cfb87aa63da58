"""Tables of a target in buckets on disk, which a rebuild works on one by one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.errors import KeyMissing
from neotoma_core.ledger.log import ErasedLog
from neotoma_core.neotoma.encryption.columns import find_sealed_rows
from neotoma_core.neotoma.frames import ROWID, frame_schema
from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.rebuild.request import SnapshotRun
from neotoma_core.reduce.entities import OBSERVATION
from neotoma_core.reduce.fields.ordering import bucket_of
from neotoma_core.reduce.relationships import EDGE
from neotoma_core.sqlite.buckets import Buckets
from neotoma_core.sqlite.inspection import StoredTable
from neotoma_core.sqlite.streaming import TableSize, measure_table, stream_rows, with_columns

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
class TableSource:
    """A table to read: with the columns wanted, and those of them that are there."""

    whole: Path
    table: Table
    stored: tuple[str, ...]
    size: TableSize

    def parts(self) -> Iterator[pl.DataFrame]:
        """Yield its rows, part by part."""
        if self.stored:
            long = _LONG[self.table.name]
            yield from stream_rows(self.whole, self.table, self.stored, self.size, long)


def bucket_count(sizes: Sequence[TableSize]) -> int:
    """Return how many buckets tables that are compared with each other are cut into."""
    wanted = [max(-(-s.rows // _BUCKET_ROWS), -(-s.bytes // _BUCKET_BYTES)) for s in sizes]
    return max([1, *wanted])


def find_source(whole: Path, stored: Mapping[str, StoredTable], name: str) -> TableSource:
    """Return one table of a whole copy, as it is to be read."""
    table = with_columns(BY_NAME[name], _READ[name])
    present = set(stored[name].columns if name in stored else ()) & set(table.names)
    columns = tuple(sorted(present))
    if name in stored:
        table = replace(table, rowid=stored[name].facts.rowid)
    size = measure_table(whole, table, columns, _LONG[name]) if columns else _NO_SIZE
    return TableSource(whole, table, columns, size)


def spill(
    asked: SnapshotRun,
    source: TableSource,
    count: int,
    chosen: pl.Series | None,
    erased: ErasedLog,
) -> Spilled:
    """Read a table into buckets, without what was erased.

    ``chosen``: only the rows of these entities, None for all.

    Raises KeyMissing.
    """
    table, name = source.table, source.table.name
    buckets = Buckets(asked.parts / name, count, frame_schema(table))
    grouping = _grouping(name)
    sealed = 0
    for part in source.parts():
        rows = part if chosen is None else part.filter(_takes_part(name, chosen))
        sealed += find_sealed_rows(table, rows).height
        buckets.add(erased.without(name, rows), bucket_of(pl.col(grouping), count))
    if sealed and asked.run.key is None:
        raise KeyMissing(asked.target, sealed, name)
    stored = frozenset(source.stored)
    return Spilled(table, stored, buckets, source.size.rows, sealed)


def _grouping(name: str) -> str:
    return "entity_id" if name in ENTITIES else "relationship_key"


def _takes_part(name: str, chosen: pl.Series) -> pl.Expr:
    ends = ("entity_id",) if name in ENTITIES else ("source_entity_id", "target_entity_id")
    return pl.any_horizontal(pl.col(end).is_in(chosen.implode()) for end in ends)
