"""A whole copy to erase from."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.erased.naming import NamedTables
from neotoma_core.erasure.held.tables import find_tables
from neotoma_core.files.keys import KeySource
from neotoma_core.neotoma.tables import BY_NAME, Table, kind_of
from neotoma_core.sqlite.inspection import StoredTable, list_tables
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.sqlite.picked_rows import without_row_numbers
from neotoma_core.sqlite.rows import read_rows
from neotoma_core.sqlite.streaming import measure_table, stream_rows

_SMALL_BYTES: Final = 128 << 20  # a copy of up to so many is read at once


@dataclass(frozen=True, slots=True)
class Held:
    """A whole copy to erase from.

    ``original`` is what messages call it; ``tables``: those that can be looked through. ``small``:
    whether its tables fit into memory.
    """

    whole: Path
    original: Path
    stored: Mapping[str, StoredTable]
    tables: NamedTables
    key: KeySource | None
    small: bool

    def columns(self, table: Table) -> tuple[str, ...]:
        """Return the columns the copy has of a table; none where it lacks the table."""
        return self.stored[table.name].columns if table.name in self.stored else ()

    def read(self, table: Table, long: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """Yield the rows of one of Neotoma's tables, part by part, with the columns of ``table``.

        ``long``: the columns that hold documents.
        """
        columns = [name for name in self.columns(table) if name in table.names]
        if self.small:
            yield read_rows(self.whole, table, columns)
        else:
            there = [name for name in long if name in columns]
            size = measure_table(self.whole, table, columns, there)
            yield from stream_rows(self.whole, table, columns, size, there)


def read_held(whole: Path, original: Path, key: KeySource | None) -> Held:
    """Return what is held by a whole copy. A small one is read at once, others when they are."""
    with closing(connect_read_only(whole)) as connection:
        stored = {table.name: table for table in list_tables(connection, original)}
    unnumbered = without_row_numbers(whole)
    looked_through = {
        name: table
        for name, table in stored.items()
        if name not in unnumbered and (name in BY_NAME or kind_of(name) is None)
    }
    small = whole.stat().st_size <= _SMALL_BYTES
    tables = find_tables(whole, looked_through, small=small)
    return Held(whole, original, stored, tables, key, small)
