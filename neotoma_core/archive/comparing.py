"""Reading a database and its archive to be compared, table by table."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import polars as pl

from neotoma_core.archive.held_rows import HeldRows, all_rows, changed_rows, state_of
from neotoma_core.archive_tables.reading import ReadTable, read_table
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.comparison.holdings import MADE_ONCE, RANDOM
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import Table
from neotoma_core.row_versions.columns import ARCHIVED, ARCHIVED_AT, REMOVED, ROW_HASH, key_of
from neotoma_core.row_versions.known_rows import KnownRows
from neotoma_core.row_versions.versions import standing
from neotoma_core.runs.private_copy import PrivateCopy


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the archive of one table; ``ids`` are all keys it ever had.

    Of a table that was only proven there are neither. ``last``: the moment of its last rows.
    """

    versions: pl.DataFrame
    ids: pl.Series
    last: datetime | None
    read: ReadTable


class Comparing:
    """A database and an archive, table by table: what the one holds, what stands in the other.

    ``held``, ``there``: by table, once they are read. ``erased``: the numbers of rows, by table,
    that the database should not have again.
    """

    def __init__(
        self, copy: PrivateCopy, archive: Archive, known: KnownRows, erased: Mapping[str, pl.Series]
    ) -> None:
        self.known = known
        self.erased = erased
        self.held: dict[str, HeldRows] = {}
        self.there: dict[str, Standing] = {}
        self._copy = copy
        self._archive = archive
        self._noted = {
            table.name
            for table in ARCHIVED
            if table.name not in erased and known.is_of(table.name, state_of(archive, table.name))
        }

    @property
    def is_evidently_own(self) -> bool:
        """Whether the archive has rows, unchanged, that only this database can have made."""
        held = [self.held[name] for name in (*RANDOM, *MADE_ONCE)]
        return any(rows.gone is not None and rows.kept for rows in held)

    @property
    def whole(self) -> frozenset[str]:
        """The tables that the archive has, after an append, exactly as the database has them."""
        if self.there[REMOVED].read.damaged:
            return frozenset()
        names = {table.name for table in ARCHIVED} - self.erased.keys()
        return frozenset(name for name in names if not self.there[name].read.damaged)

    def read_archive(self) -> None:
        """Read what stands in the archive; of a table whose rows are noted, prove it only."""
        removed = _read(self._archive, REMOVED, ("table", ROW_HASH, ARCHIVED_AT))
        self.there[REMOVED] = _state(removed, pl.Series([], dtype=pl.String))
        for table in ARCHIVED:
            self.there[table.name] = self._standing(table, noted=table.name in self._noted)

    def read_rows(self, table: Table) -> None:
        """Read the rows of a table; where they are noted, those that changed."""
        rows = None
        if table.name in self._noted:
            rows = changed_rows(self._copy, table, self._archive, self.known)
        self.held[table.name] = rows or all_rows(self._copy, table, self.known)

    def complete(self) -> None:
        """Read all of a table whose note is of no use, or that the archive has in another state.

        What was erased, and the database has again, is left out.
        """
        for table in ARCHIVED:
            changes = self.held[table.name].gone
            if table.name in self._noted and (changes is None or not self._is_as_noted(table)):
                self._read_whole(table)
        for name, numbers in self.erased.items():
            held = self.held[name]
            left = held.hashes.filter(~pl.col(ROWID).is_in(numbers.implode()))
            self.held[name] = replace(held, rows=left.height, hashes=left)
            self.known.leave_out(name)

    def read_whole(self) -> None:
        """Read all rows of every table, and all that stands in the archive."""
        for table in ARCHIVED:
            if self.held[table.name].gone is not None:
                self._read_whole(table)

    def _is_as_noted(self, table: Table) -> bool:
        """Return whether the archive has no more than its record, as when the note was made."""
        for name in (table.name, REMOVED):
            recorded, read = self._archive.commit_of(name), self.there[name].read
            found = read.committed
            if read.damaged or (recorded and recorded.digest) != (found and found.digest):
                return False
        return True

    def _read_whole(self, table: Table) -> None:
        if self.held[table.name].gone is not None:
            self.held[table.name] = all_rows(self._copy, table, self.known)
        self.there[table.name] = self._standing(table, noted=False)

    def _standing(self, table: Table, *, noted: bool) -> Standing:
        key = key_of(table.name)
        if noted:
            read = _read(self._archive, table.name, ())
            until = read.committed.until if read.committed else -1
            last = _moment(until) if until > 0 else None
            return Standing(read.rows, pl.Series([], dtype=pl.String), last, read)
        read = _read(self._archive, table.name, (key, ROW_HASH, ARCHIVED_AT))
        gone = self.there[REMOVED].read.rows.filter(pl.col("table") == table.name)
        versions = standing(read.rows, gone, key)
        return replace(_state(read, read.rows[key]), versions=versions)


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)


def _read(archive: Archive, table: str, columns: tuple[str, ...]) -> ReadTable:
    read = read_table(archive, table, columns)
    read.require_committed()
    known = archive.commit_of(table)
    if read.damaged and known and known.version != read.version:
        read.require_whole()  # nobody can say what the commits since held
    return read


def _state(read: ReadTable, ids: pl.Series) -> Standing:
    last = read.rows[ARCHIVED_AT].max()
    return Standing(read.rows, ids, last if isinstance(last, datetime) else None, read)
