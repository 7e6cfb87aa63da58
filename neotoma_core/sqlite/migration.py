"""Giving a target the tables, columns and indexes that rows need and Neotoma would add.

Neotoma itself does the same whenever it opens a database, so a target that was migrated here is
what it would be then. Operational and secret tables are left to it: nothing is written to them.
Whatever a target has beyond that, it keeps.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from neotoma_core.neotoma.ddl import (
    add_column,
    create_database,
    create_index,
    create_table,
    quote,
)
from neotoma_core.neotoma.tables import Table
from neotoma_core.neotoma.tables.carried import fold_case
from neotoma_core.neotoma.versions import SETTLED, newest_of, release_of, tables_at


def migrate(
    connection: sqlite3.Connection, written: Sequence[Table], release: str = SETTLED
) -> None:
    """Add to the target what it lacks of Neotoma's tables, and of the tables ``written``.

    The latter may have columns that Neotoma does not know, or be unknown to it themselves.
    ``release``: the newest that any of the databases shows, whose tables are added; the target's
    own, where that is newer.
    """
    present = _tables(connection)
    if not present:
        for statement in create_database(release):
            connection.execute(statement)
        present = _tables(connection)
    listed = connection.execute("SELECT name FROM main.sqlite_schema WHERE type <> 'trigger'")
    own = release_of({str(name) for (name,) in listed})
    for table in tables_at(newest_of(own, release)):
        if table.merged or table.kind == "derived":
            _add_missing(connection, table, present)
    for table in written:
        _add_missing(connection, table, present)


def names_of_columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of the columns a table of the target has."""
    listed = connection.execute("SELECT name FROM pragma_table_info(?, 'main')", (table,))
    return {str(name) for (name,) in listed}


@contextmanager
def without_triggers(connection: sqlite3.Connection) -> Iterator[None]:
    """Take the target's triggers away while rows are written, and put them back as they were.

    Neotoma has none. One of somebody else's would change what is written, or act on rows that
    are not new but come back.
    """
    found = connection.execute(
        "SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP TRIGGER main.{quote(str(name))}")
    yield
    for _, statement in found:
        connection.execute(statement)


@contextmanager
def without_indexes(connection: sqlite3.Connection, table: Table) -> Iterator[None]:
    """Take indexes of a table away while most of its rows are written, and recreate them.

    Sorted at once they take a fraction of the time of one row after another. Indexes that keep
    rows out stay.
    """
    known = {index.name for index in table.indexes if not index.unique}
    found = connection.execute(
        "SELECT name, sql FROM main.sqlite_schema WHERE type = 'index' AND tbl_name = ? "
        "AND sql LIKE 'CREATE INDEX %' ORDER BY rowid",
        (table.name,),
    ).fetchall()
    taken = [(str(name), str(statement)) for name, statement in found if name in known]
    for name, _ in taken:
        connection.execute(f"DROP INDEX main.{quote(name)}")
    yield
    for _, statement in taken:
        connection.execute(statement)


def _tables(connection: sqlite3.Connection) -> set[str]:
    listed = connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")
    return {fold_case(str(name)) for (name,) in listed}


def _add_missing(connection: sqlite3.Connection, table: Table, present: set[str]) -> None:
    if fold_case(table.name) not in present:
        connection.execute(create_table(table))
        present.add(fold_case(table.name))
    has = set(map(fold_case, names_of_columns(connection, table.name)))
    for column in table.columns:
        if fold_case(column.name) not in has:
            # SQLite takes no required column without a value for the rows that are there.
            required = column.required and column.default is not None
            connection.execute(add_column(table.name, replace(column, required=required)))
    if table.kind == "carried":
        return
    for index in table.indexes:
        # Rows that an older version let in twice keep a unique index out, here as in Neotoma.
        with suppress(sqlite3.IntegrityError):
            connection.execute(create_index(table, index))
