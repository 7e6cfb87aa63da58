"""Appending to a table of an archive: one commit, all of it or nothing."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from neotoma_core.archive_tables.committed import Committed, continue_committed
from neotoma_core.archive_tables.tables import Archive, open_table, table_description
from neotoma_core.errors import ArchiveBusy, ArchiveError, DiskFull
from neotoma_core.files.atomic import announce, sync_together
from neotoma_core.files.exact_paths import table_to_change
from neotoma_core.row_versions.columns import ARCHIVED_AT, SCHEMAS

STEPS: Final = ("table_committed",)
WRITER: Final = "midden"  # whose commits are numbered: two with one number exclude each other
_WRITER_VERSION: Final = 2
_NO_SPACE: Final = ("No space left", "os error 28", "File too large", "os error 27")
# No value of a memory needs to be in the log of a table: statistics of these only.
_CONFIGURATION: Final = {"delta.dataSkippingStatsColumns": ARCHIVED_AT}


def commit_number(archive: Archive, table: str) -> int:
    """Return the number of the last append to a table: what the next one builds on.

    Raises ArchiveError where only a later format may append to it.
    """
    if not archive.has(table):
        return 0
    opened = _require_writable(open_table(archive, table), archive.path / table)
    return opened.transaction_version(WRITER) or 0


def _require_writable(opened: DeltaTable, place: Path) -> DeltaTable:
    """Return a table; raises ArchiveError where only a later format may append to it."""
    if opened.protocol().min_writer_version > _WRITER_VERSION:
        raise ArchiveError(place, "a later format may append to this table", "update midden")
    return opened


def append(archive: Archive, table: str, parts: Iterable[pl.DataFrame], after: int) -> int:
    """Append rows to a table, which is created where it is not there, and return how many.

    ``parts``: frames with all columns of the table. ``after``: the ``commit_number`` of the state
    they were decided on. Raises ArchiveBusy where another has appended since: decide again.
    """
    counted = _Counted(parts, table)
    place = archive.path / table
    before = _names(place)
    try:
        with table_to_change(place) as at:
            write_deltalake(
                at,
                counted.reader(),
                mode="append",
                schema_mode="merge",
                name=archive.record.archive if archive.record else None,
                description=table_description(),
                configuration=_CONFIGURATION,
                writer_properties=writer_properties(),
                commit_properties=CommitProperties(
                    app_transactions=[Transaction(WRITER, after + 1, None)]
                ),
            )
    except (CommitFailedError, FileExistsError) as error:
        raise ArchiveBusy(place) from error
    except (DeltaError, OSError) as error:
        raise writing_error(place, error) from error
    sync_new(place, before)
    announce("table_committed")
    return counted.rows


def add_committed(archive: Archive, table: str, links: pl.DataFrame) -> Committed:
    """Return what a table has committed once rows with such links were appended."""
    opened = open_table(archive, table)
    before = archive.commit_of(table) or Committed(str(opened.metadata().id))
    return continue_committed(before, opened.version(), links)


def writer_properties() -> WriterProperties:
    """Return how Parquet files of the archive are written."""
    return WriterProperties(compression="ZSTD", compression_level=3, max_row_group_size=131_072)


def writing_error(place: Path, error: Exception) -> ArchiveError | DiskFull:
    """Return what to say when a table cannot be written to."""
    text = str(error)
    if any(sign in text for sign in _NO_SPACE):
        return DiskFull(place, whose="archive")
    wrong = "no permission to write to it" if "ermission denied" in text else "cannot be written to"
    return ArchiveError(place, wrong, "look at its permissions and its disk, and run again")


def sync_new(place: Path, before: set[Path]) -> None:
    """Force the files to the disk that were not there before, and the folders that name them."""
    sync_together(_names(place) - before, (place / "_delta_log", place, place.parent))


def _names(place: Path) -> set[Path]:
    return {path for path in place.rglob("*") if path.is_file()} if place.is_dir() else set()


class _Counted:
    """Frames as a stream of Arrow, counted as they pass."""

    def __init__(self, parts: Iterable[pl.DataFrame], table: str) -> None:
        self.rows = 0
        self._parts = parts
        empty = pl.DataFrame(schema=dict(SCHEMAS[table]))
        self._schema = empty.to_arrow(compat_level=pl.CompatLevel.oldest()).schema

    def reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self._schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for part in self._parts:
            self.rows += part.height
            arrow = part.select(self._schema.names).to_arrow(compat_level=pl.CompatLevel.oldest())
            yield from arrow.cast(self._schema).to_batches()


def version_of(archive: Archive, table: str) -> int:
    """Return the version of a table."""
    opened: DeltaTable = open_table(archive, table)
    return opened.version()
