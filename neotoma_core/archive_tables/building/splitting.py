"""The first stage: the versions of a table, cut into buckets by the row that they are versions of.

All versions of one row, and its removals, are in one bucket. An observation that moved to another
entity is one row: so buckets by entity come later, of what was found to count.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from neotoma_core.archive_tables.building.sources import Source
from neotoma_core.archive_tables.committed import links_of, proving_columns
from neotoma_core.archive_tables.reading import (
    ArchivedFile,
    DamagedFile,
    column_types,
    read_file,
)
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.row_versions.columns import ARCHIVED_AT, ODD, REMOVED, ROW_HASH, key_of
from neotoma_core.row_versions.versions import identity_of
from neotoma_core.stages.fetching import fetch
from neotoma_core.stages.parts import Made, Part, make_part
from neotoma_core.stages.places import OnStore, Place

LINKS: Final = "links"
DAMAGED: Final = "damaged"
PLACES: Final = "places"
_BUCKET: Final = "_bucket"
_SAMPLED: Final = 1_000  # rows for one whose place is noted
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class SplitTask:
    """One source of a table, to be cut into so many buckets.

    ``origin``: where its files are, unless they are in the folder of the archive.
    """

    place: Place
    table: str
    number: int
    source: Source
    buckets: int
    origin: OnStore | None = None


def split_columns(table: str) -> tuple[str, ...]:
    """Return the columns that a part of this stage has."""
    if table == REMOVED:
        return (*proving_columns(table), "key")
    return (*BY_NAME[table].names, ODD, ROW_HASH, ARCHIVED_AT, ROWID)


def split(task: SplitTask) -> Part:
    """Make the part of one source: a batch for each bucket, the rows in the order of the files.

    Facts: the links of the rows, the files that are damaged (path, reason), and a sample of where
    rows have their places (moment in microseconds, row number).
    """
    return make_part(task.place, f"split-{task.table}", task.number, lambda: _split(task))


def _split(task: SplitTask) -> Made:
    table = task.table
    wanted = column_types(table, split_columns(table))
    read, damaged = [pl.DataFrame(schema=wanted)], []
    for file in task.source.files:
        with _file_here(task, file) as here:
            rows = read_file(table, here, wanted, task.source.span)
        if isinstance(rows, DamagedFile):
            damaged.append((str(file.path), rows.reason))
        else:
            read.append(rows)
    rows = pl.concat(read)
    key = "key" if table == REMOVED else key_of(table)
    facts = {
        LINKS: links_of(rows.select(proving_columns(table))),
        DAMAGED: pl.DataFrame(
            damaged, schema={"path": pl.String, "reason": pl.String}, orient="row"
        ),
        PLACES: _sample_places(rows),
    }
    return Made(
        cut_rows(rows, identity_of(key).hash(seed=_SEED) % task.buckets, task.buckets), facts
    )


@contextmanager
def _file_here(task: SplitTask, file: ArchivedFile) -> Iterator[ArchivedFile]:
    """Yield a file where it can be read: here, unless it is still on a store."""
    if task.origin is None or file.path.is_file():
        yield file
        return
    with fetch(task.origin, f"{task.table}/{file.path.name}") as path:
        yield replace(file, path=path)


def cut_rows(rows: pl.DataFrame, bucket: pl.Expr, count: int) -> list[pl.DataFrame]:
    """Return the rows of each bucket, in their order."""
    if count == 1:
        return [rows]
    numbered = rows.with_columns(bucket.cast(pl.UInt32).alias(_BUCKET))
    cut = numbered.partition_by(_BUCKET, include_key=False, maintain_order=True, as_dict=True)
    return [cut.get((number,), rows.clear()) for number in range(count)]


def _sample_places(rows: pl.DataFrame) -> pl.DataFrame:
    """Return about every thousandth place in the order of all, and the last."""
    if ROWID not in rows.columns:
        return pl.DataFrame(schema={"at": pl.Int64, "number": pl.Int64})
    places = rows.select(at=pl.col(ARCHIVED_AT).dt.epoch("us"), number=ROWID)
    return places.sort("at", "number").gather_every(_SAMPLED)
