"""The rows of an archive that a log lacks, as files that are shipped."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from neotoma_core.archive_tables.committed import (
    Committed,
    continue_committed,
    is_held,
    joined_links,
    links_of,
)
from neotoma_core.archive_tables.reading import (
    ArchivedFile,
    ListedTable,
    column_types,
    list_table,
    read_file,
)
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.errors import ArchiveDamaged
from neotoma_core.files.exact_paths import write_parquet
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import Content, Part
from neotoma_core.remotes.own import is_up_to_date
from neotoma_core.row_versions.columns import ARCHIVED_AT, REMOVED, key_of
from neotoma_core.sqlite.copies import sha256_of

_PART_ROWS: Final = 131_072  # as many as an archive has in one group of rows
_READ_ROWS: Final = 32_768  # at a time: there are several copies of them for a moment


@dataclass(frozen=True, slots=True)
class NewRows:
    """Parts of a log that are to be shipped, each with its file; and what it holds then."""

    parts: tuple[tuple[Part, Path], ...]
    tables: Mapping[str, Committed]

    @property
    def versions(self) -> dict[str, int]:
        """How many versions of rows there are, by table."""
        found: dict[str, int] = {}
        for part, _ in self.parts:
            found[part.table] = found.get(part.table, 0) + part.rows
        return found


def write_new_rows(archive: Archive, log: Log, folder: Path, erased: ErasedIds) -> NewRows:
    """Write the rows that a log lacks into a folder, as Parquet files of so many rows each.

    An archive keeps what was erased later; it is left out here. Raises ArchiveDamaged where the
    archive lacks what it had committed.
    """
    parts: list[tuple[Part, Path]] = []
    tables = dict(log.tables)
    for table in archive.tables:
        said = log.tables.get(table)
        if is_up_to_date(said, archive.commit_of(table)):
            continue
        begun = said or Committed(table)
        read = _Reading(table, said, erased)
        written = list(_write_parts(archive, read, folder))
        parts += [(part, path) for part, path, _ in written]
        links = joined_links(some for _, _, some in written) if written else None
        after = begun if links is None else continue_committed(begun, log.next_number, links)
        # Rows that are left out are not new the next time either.
        tables[table] = replace(after, id=table, until=max(read.until, after.until))
    return NewRows(tuple(parts), tables)


def holds_erased(archive: Archive, log: Log, erased: ErasedIds) -> bool:
    """Return whether a log has rows that it would not be given now, as they are erased since.

    Told from what the log says it has: it is not what the archive has up to then, less what is
    erased. Raises ArchiveDamaged.
    """
    for table, said in log.tables.items():
        reading = _Reading(table, None, erased)
        listed = _list_rows(archive, table)
        rows = (reading.pick_new(_until(part, said)) for part in _parts(table, listed.files))
        links = joined_links([links_of(_nothing(table)), *map(links_of, rows)])
        if not is_held(said, links):
            return True
    return False


@dataclass(slots=True)
class _Reading:
    """What is read of a table: what is later than ``said``, less what is ``erased``.

    ``until``: the moment of the last row that was read, in microseconds.
    """

    table: str
    said: Committed | None
    erased: ErasedIds
    until: int = -1

    def pick_new(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that are new and not erased."""
        new = later(rows, self.said)
        if new.is_empty():
            return new
        last = new[ARCHIVED_AT].dt.epoch("us").max()
        self.until = max(self.until, last if isinstance(last, int) else 0)
        return new.filter(~self._find_erased(new)) if self.erased else new

    def _find_erased(self, rows: pl.DataFrame) -> pl.Series:
        if self.table != REMOVED:
            return self.erased.rows_in(self.table, rows)
        gone = pl.Series([False] * rows.height)
        for (table,), some in (
            rows.with_row_index("_at").partition_by("table", as_dict=True).items()
        ):
            keys = some.select(pl.col("key").alias(key_of(str(table))))
            hit = self.erased.rows_in(str(table), keys)
            gone[some.filter(hit)["_at"].to_list()] = True
        return gone


def _write_parts(
    archive: Archive, reading: _Reading, folder: Path
) -> Iterator[tuple[Part, Path, pl.DataFrame]]:
    """Yield the parts of one table with their files, and the links of their rows."""
    table = reading.table
    listed = _list_rows(archive, table)
    for number, rows in enumerate(_gather(_groups(reading, listed.files))):
        path = folder / f"{table}-{number}.parquet"
        write_parquet(rows, path, compression="zstd", compression_level=3)
        content = Content(sha256_of(path), path.stat().st_size)
        yield Part(table, rows.height, content), path, links_of(rows)


def _groups(reading: _Reading, files: tuple[ArchivedFile, ...]) -> Iterator[pl.DataFrame]:
    """Yield the rows that are wanted, as many at a time as memory takes."""
    wanted = column_types(reading.table, None)
    for file in sorted(files, key=lambda one: (one.added_ms, one.path.name)):
        moments = read_file(reading.table, file, {ARCHIVED_AT: wanted[ARCHIVED_AT]})
        if not isinstance(moments, pl.DataFrame):
            raise ArchiveDamaged(moments.path, moments.reason, "restore it from a copy")
        if later(moments, reading.said).is_empty():
            continue
        for rows in _parts(reading.table, [file]):
            yield reading.pick_new(rows)


def _list_rows(archive: Archive, table: str) -> ListedTable:
    listed = list_table(archive, table)
    if listed.lost:
        advice = "restore it from a copy"
        raise ArchiveDamaged(listed.lost.path, listed.lost.reason, advice)
    return listed


def _parts(table: str, files: Iterable[ArchivedFile]) -> Iterator[pl.DataFrame]:
    """Yield all rows of files, so many at a time."""
    wanted = column_types(table, None)
    for file in files:
        with pq.ParquetFile(file.path) as opened:
            for batch in opened.iter_batches(_READ_ROWS):
                read = pl.from_arrow(batch)
                assert isinstance(read, pl.DataFrame)  # noqa: S101 - a batch is never a series
                yield _as_archived(read, wanted)


def _until(rows: pl.DataFrame, said: Committed) -> pl.DataFrame:
    return rows.filter(pl.col(ARCHIVED_AT).dt.epoch("us").fill_null(0) <= said.until)


def _nothing(table: str) -> pl.DataFrame:
    return pl.DataFrame(schema=column_types(table, None))


def _as_archived(read: pl.DataFrame, wanted: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return read.select(
        (pl.col(name) if name in read.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in wanted.items()
    )


def _gather(groups: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield small groups together, so that many small runs make few objects."""
    held: list[pl.DataFrame] = []
    for rows in groups:
        if held and sum(one.height for one in held) + rows.height > _PART_ROWS:
            yield pl.concat(held)
            held = []
        if rows.height:
            held.append(rows)
    if held:
        yield pl.concat(held)


def later(rows: pl.DataFrame, said: Committed | None) -> pl.DataFrame:
    """Return the rows that are later than all that a table of a log has."""
    if said is None:
        return rows
    return rows.filter(pl.col(ARCHIVED_AT).dt.epoch("us").fill_null(0) > said.until)
