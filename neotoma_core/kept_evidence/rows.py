"""The rows of one whole copy that no other copy has. Both are only read.

A row is the same where its identity and what it says are: neither when it was observed or stored,
nor which entity or source it was given to since. Rows with credentials are the same by their key
alone: no recovery brings them back. Snapshots and queues are made from the rest.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from neotoma_core.comparison.holdings import read_columns
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import naming_columns
from neotoma_core.errors import BackupError
from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.tables import BY_NAME, kind_of
from neotoma_core.sqlite.inspection import StoredTable, inspect_database
from neotoma_core.sqlite.opening import check_pages, connect_read_only, damage_of
from neotoma_core.sqlite.untrusted import attach

_MADE_AGAIN: Final = ("derived", "operational")
_BY_KEY_ALONE: Final = ("secret", "personal")
_Rows = set[tuple[object, ...]]


class UniqueRows:
    """The rows of a whole copy that nothing compared so far has: all of them at first.

    ``original`` is only named in messages. What is ``erased`` does not count. Raises BackupDamaged,
    NotNeotoma.
    """

    def __init__(self, whole: Path, original: Path, erased: ErasedIds) -> None:
        self._whole = whole
        self._original = original
        self._erased = erased
        with closing(connect_read_only(whole)) as connection:
            check_pages(connection, original)
        self._tables = {t.name: t for t in _tables(whole, original) if t.rows and _counts(t)}
        barred = [name for name, table in self._tables.items() if table.barred]
        if barred:
            raise BackupError(original, "rows of it cannot be told apart", "look at it yourself")
        self._left: dict[str, _Rows] | None = None

    @property
    def count(self) -> int:
        """How many rows are left; before anything was compared, all of them."""
        if self._left is None:
            return sum(table.rows for table in self._tables.values())
        return sum(map(len, self._left.values()))

    def compare(self, other: Path) -> None:
        """Take off the rows that another whole copy has, too; raises BackupDamaged, NotNeotoma."""
        if not self.count:
            return
        theirs = {table.name: table for table in _tables(other, other)}
        wanted = self._tables if self._left is None else self._left
        try:
            with closing(connect_read_only(self._whole)) as connection:
                attach(connection, "other", f"{other.resolve().as_uri()}?mode=ro&immutable=1")
                found = {n: self._lacks(connection, n, theirs.get(n)) for n in wanted}
        except sqlite3.DatabaseError as error:
            raise damage_of(self._original, str(error)) from error
        if self._left is None:
            self._left = self._without_erased(found)
        else:
            self._left = {name: rows & found[name] for name, rows in self._left.items()}
        self._left = {name: rows for name, rows in self._left.items() if rows}

    def _lacks(self, connection: sqlite3.Connection, name: str, other: StoredTable | None) -> _Rows:
        """Return the rows that another copy lacks: their keys, or all they hold without one."""
        table = self._tables[name]
        key, said = _identity(table), _says(table)
        here = f"main.{quote(name)}"
        columns = ", ".join(f"h.{quote(column)}" for column in key or said)
        query = f"SELECT {columns} FROM {here} h"
        if other is not None and set(key or said) <= set(other.columns):
            alike = " AND ".join(_same(c, other.columns) for c in dict.fromkeys((*key, *said)))
            same = f"SELECT 1 FROM other.{quote(name)} o WHERE {alike}"
            query += f" WHERE NOT EXISTS ({same})"
        return set(connection.execute(query))

    def _without_erased(self, found: dict[str, _Rows]) -> dict[str, _Rows]:
        """Leave out the rows that name what was erased, of tables that Neotoma knows."""
        for name in found if self._erased else ():
            table = self._tables[name]
            key = _identity(table)
            naming = naming_columns(name, table.columns) if name in BY_NAME else ()
            if not key or not naming or not found[name]:
                continue
            wanted = (*key, *naming)
            read = read_columns(self._whole, table, wanted, self._original)
            gone = read.filter(self._erased.rows_in(name, read)).select(key)
            found[name] -= set(gone.rows())
        return found


def _tables(whole: Path, original: Path) -> tuple[StoredTable, ...]:
    with closing(connect_read_only(whole)) as connection:
        return inspect_database(connection, original).tables


def _counts(table: StoredTable) -> bool:
    return kind_of(table.name) not in _MADE_AGAIN


def _identity(table: StoredTable) -> tuple[str, ...]:
    facts = BY_NAME.get(table.name, table.facts)
    return facts.identity if set(facts.identity) <= set(table.columns) else ()


def _says(table: StoredTable) -> tuple[str, ...]:
    """Return the columns by which rows of one identity differ; all where they have none."""
    facts = BY_NAME.get(table.name, table.facts)
    if not _identity(table):
        return table.columns
    if facts.kind in _BY_KEY_ALONE:
        return ()
    referring = {column.name for column in facts.columns if column.refers}
    left_out = {*facts.identity, *facts.key, *facts.stamps, *facts.stays, *referring}
    return tuple(column for column in table.columns if column not in left_out)


def _same(column: str, theirs: Collection[str]) -> str:
    """Return the condition that a cell is the same; where there is no such column, it is empty."""
    cell = f"h.{quote(column)}"
    return f"o.{quote(column)} IS {cell}" if column in theirs else f"{cell} IS NULL"


def compare_all(candidates: Collection[UniqueRows], stays: Iterator[Path]) -> None:
    """Compare candidates with one staying copy after the other, until all of them have no row."""
    for other in stays:
        for candidate in candidates:
            try:
                candidate.compare(other)
            except BackupError:  # of the copy that stays: what cannot be read proves nothing
                continue
        if not any(candidate.count for candidate in candidates):
            return
