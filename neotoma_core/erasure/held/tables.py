"""The tables of a whole copy as an erasure sees them: in memory, or read from the copy each time.

Both have the same rows. A small copy is read once; of a larger one no more is in memory than a part
of one table.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from neotoma_core.erased.naming import (
    Ids,
    NamedRows,
    NamedTables,
    TablesInMemory,
    name_rows,
    naming_columns,
)
from neotoma_core.neotoma.frames import empty_rows
from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.neotoma.tables.shape import text
from neotoma_core.sqlite.inspection import StoredTable
from neotoma_core.sqlite.rows import read_rows
from neotoma_core.sqlite.streaming import TableSize, measure_table, stream_rows, with_columns


def find_tables(whole: Path, stored: Mapping[str, StoredTable], *, small: bool) -> NamedTables:
    """Return tables of a whole copy; those of a ``small`` one are read at once."""
    if not small:
        return _TablesOnDisk(whole, stored)
    return TablesInMemory({name: _read_at_once(whole, table) for name, table in stored.items()})


class _TablesOnDisk:
    """Tables that are read from the copy whenever they are looked through."""

    def __init__(self, whole: Path, stored: Mapping[str, StoredTable]) -> None:
        self._whole: Final = whole
        self._stored: Final = stored
        self._sizes: Final[dict[str, TableSize]] = {}

    @property
    def names(self) -> Collection[str]:
        """The tables."""
        return self._stored.keys()

    def read(self, table: str, ids: Ids | None = None) -> Iterator[NamedRows]:
        """Yield the rows of a table that name one of ``ids``; all where those are None."""
        facts = _facts(self._stored[table])
        wanted = None if ids is None else _by_column(facts, ids)
        if not facts.names or (wanted is not None and not wanted):
            yield name_rows(table, empty_rows(facts))
            return
        if table not in self._sizes:
            self._sizes[table] = measure_table(self._whole, facts, facts.names, ())
        size = self._sizes[table]
        for rows in stream_rows(self._whole, facts, facts.names, size, (), wanted):
            yield name_rows(table, rows)


def _read_at_once(whole: Path, stored: StoredTable) -> NamedRows:
    facts = _facts(stored)
    # A table may have no column that names anything; then there is nothing to look into.
    rows = read_rows(whole, facts, facts.names) if facts.names else empty_rows(facts)
    return name_rows(stored.name, rows)


def _facts(stored: StoredTable) -> Table:
    """Return a table as if it had only the columns that name something."""
    names = tuple(naming_columns(stored.name, stored.columns))
    if stored.name in BY_NAME:
        return with_columns(BY_NAME[stored.name], names)
    return Table(stored.name, "operational", tuple(text(name) for name in names))


def _by_column(facts: Table, ids: Ids) -> dict[str, frozenset[str]]:
    """Return the cells looked for, by column."""
    naming = naming_columns(facts.name, facts.names)
    return {column: ids[kind] for column, kind in naming.items() if ids.get(kind)}
