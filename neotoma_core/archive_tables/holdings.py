"""What an archive holds, as far as copies of a database are compared.

That is every row it ever had, in its last version: what a recovery from it offers.
"""

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.comparison.holdings import (
    COMPARED,
    Coder,
    Holdings,
    columns_to_compare,
    count_holdings,
)
from neotoma_core.erased.naming import naming_columns
from neotoma_core.neotoma.tables import Table
from neotoma_core.row_versions.columns import ARCHIVED, ARCHIVED_AT, REMOVED, ROW_HASH, key_of
from neotoma_core.row_versions.versions import latest


@dataclass(slots=True)
class _Read:
    rows: dict[str, int] = field(default_factory=dict)
    kept: dict[str, pl.DataFrame] = field(default_factory=dict)
    appended: datetime | None = None

    def note(self, moments: pl.Series) -> None:
        """Take down when rows were appended, where that is later than all before."""
        last = moments.max()
        if isinstance(last, datetime):
            self.appended = max(last, self.appended or last)


def read_archived_holdings(archive: Archive, coder: Coder) -> tuple[Holdings, datetime | None]:
    """Return what an archive holds and when it was last appended to, UTC.

    Rows that name what is erased are not among it. Raises ArchiveDamaged, ArchiveError.
    """
    read = _Read()
    read.note(read_table(archive, REMOVED, (ARCHIVED_AT,)).require_whole()[ARCHIVED_AT])
    for table in ARCHIVED:
        rows = _last_versions(archive, table, coder, read)
        if rows.height:
            read.rows[table.name] = rows.height
            read.kept[table.name] = rows
    registry = read.kept.get("schema_registry")
    compared = {name: rows for name, rows in read.kept.items() if name in COMPARED}
    return count_holdings(coder, read.rows, compared, registry), read.appended


def _last_versions(archive: Archive, table: Table, coder: Coder, read: _Read) -> pl.DataFrame:
    """Return of every row of a table its last version, without what is erased."""
    named = naming_columns(table.name, table.names) if coder.erased else ()
    wanted = dict.fromkeys((*columns_to_compare(table.name), *named, ROW_HASH, ARCHIVED_AT))
    versions = read_table(archive, table.name, tuple(wanted)).require_whole()
    read.note(versions[ARCHIVED_AT])
    rows = latest(versions, key_of(table.name))
    if coder.erased and rows.height:
        rows = rows.filter(~coder.erased.rows_in(table.name, rows))
    return rows
