"""Which cells name what: derived from the table facts, so that no table has a list of its own.

A kind is what an id names: the table whose key it is, or ``users``, ``relationships`` (named by
their key) or ``raw_files`` (named by where they are stored).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import polars as pl

from neotoma_core.neotoma.environments import STORED_FILE
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import BY_NAME, TABLES, Table

ENTITIES: Final = "entities"
OBSERVATIONS: Final = "observations"
RELATIONSHIP_OBSERVATIONS: Final = "relationship_observations"
SOURCES: Final = "sources"
INTERPRETATIONS: Final = "interpretations"
USERS: Final = "users"
RELATIONSHIPS: Final = "relationships"
RAW_FILES: Final = "raw_files"

Ids = Mapping[str, frozenset[str]]
"""Ids by kind."""

# What a column names where no table of Neotoma's has it as a key of its own.
_BY_COLUMN: Final = {
    "user_id": USERS,
    "merged_by": USERS,
    "split_by": USERS,
    "relationship_key": RELATIONSHIPS,
    "storage_url": RAW_FILES,
}
_ACCOUNTS: Final = (  # their keys are user ids
    "auth_users",
    "local_auth_users",
    "member_attribution_ids",
)


@dataclass(frozen=True, slots=True)
class NamedRows:
    """One table as an erasure sees it.

    ``rows``: ``_rowid`` and the columns that name something, one row per stored row. ``naming``:
    column → kind. ``key``: the column that names the row itself, None where it has none.
    ``lasting``: a row of it that goes takes along what names the row.
    """

    rows: pl.DataFrame
    naming: Mapping[str, str]
    key: str | None
    lasting: bool

    def of_kind(self, kind: str) -> list[str]:
        """Return the columns that name ids of ``kind``."""
        return [column for column, names in self.naming.items() if names == kind]


class NamedTables(Protocol):
    """The tables of one database as an erasure sees them. Each can be read any number of times."""

    @property
    def names(self) -> Collection[str]:
        """The tables that can be looked through."""

    def read(self, table: str, ids: Ids | None = None) -> Iterator[NamedRows]:
        """Yield the rows of a table, part by part; at least one part, be it empty.

        ``ids``: rows that name none of them may be left out.
        """


class TablesInMemory:
    """Tables whose rows are all in memory, each in one part."""

    def __init__(self, tables: Mapping[str, NamedRows]) -> None:
        self._tables: Final = tables

    @property
    def names(self) -> Collection[str]:
        """The tables."""
        return self._tables.keys()

    def read(self, table: str, ids: Ids | None = None) -> Iterator[NamedRows]:  # noqa: ARG002 - all rows are at hand
        """Yield all rows of a table."""
        yield self._tables[table]


def read_all(tables: NamedTables) -> Iterator[NamedRows]:
    """Yield every row of all tables, part by part."""
    for name in tables.names:
        yield from tables.read(name)


def find_ids(tables: NamedTables, ids: Ids) -> dict[str, frozenset[str]]:
    """Return those of some ids that a row names, by kind."""
    found: dict[str, set[str]] = {}
    for name in tables.names:
        for named in tables.read(name, ids):
            for column, kind in named.naming.items():
                if ids.get(kind):
                    wanted = pl.Series([list(ids[kind])], dtype=pl.List(pl.String))
                    there = named.rows[column].drop_nulls()
                    found.setdefault(kind, set()).update(there.filter(there.is_in(wanted)))
    return {kind: frozenset(there) for kind, there in found.items() if there}


def naming_columns(table: str, stored: Collection[str]) -> dict[str, str]:
    """Return column → kind of the stored columns that name something.

    In a table that Neotoma does not know yet, a column counts by its name.
    """
    known = BY_NAME.get(table)
    if known is None:
        return {name: _UNKNOWN[name] for name in stored if name in _UNKNOWN}
    kinds = {column.name: _kind(known, column.name) for column in known.columns}
    return {name: kind for name, kind in kinds.items() if kind and name in stored}


def name_rows(table: str, rows: pl.DataFrame) -> NamedRows:
    """Return a table as an erasure sees it; ``rows`` have ``_rowid`` and the stored columns.

    An empty text names nothing, as NULL does; nor does the place of a file that is not stored.
    """
    naming = naming_columns(table, rows.columns)
    facts = BY_NAME.get(table)
    cells = [_name_cells(column, kind) for column, kind in naming.items()]
    key = facts.key[0] if facts and facts.key[0] in naming else None
    return NamedRows(rows.select(ROWID, *cells), naming, key, bool(facts and facts.merged))


def _name_cells(column: str, kind: str) -> pl.Expr:
    cell = pl.col(column)
    names = cell.str.contains(STORED_FILE) if kind == RAW_FILES else cell != ""
    return pl.when(names).then(cell).alias(column)


def _kind(table: Table, name: str) -> str | None:
    column = table.column(name)
    if column.type != "TEXT":
        return None
    if (name,) == table.key and table.name in _ACCOUNTS:
        return USERS
    own = table.name if (name,) == table.key else None
    return column.refers or _BY_COLUMN.get(name) or own


_UNKNOWN: Final = {
    **{column.name: column.refers for t in TABLES for column in t.columns if column.refers},
    "observation_id": OBSERVATIONS,
    **_BY_COLUMN,
}
