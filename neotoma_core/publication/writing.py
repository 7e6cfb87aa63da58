"""Writing what is staged, log rows and derived rows, within a transaction of the target."""

import sqlite3
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Final

from neotoma_core.neotoma.ddl import column_list, quote
from neotoma_core.neotoma.frames import TARGET_ROWID, name_in_database
from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.neotoma.tables.carried import fold_case, row_number_of
from neotoma_core.publication import checks
from neotoma_core.publication.staging import COPY, PLACE, TableWrite, name_staged
from neotoma_core.sqlite.migration import names_of_columns, without_indexes

_MANY: Final = 50_000  # rows


def write_log(connection: sqlite3.Connection, writes: Iterable[TableWrite]) -> None:
    """Remove, insert and replace log rows, table by table."""
    for write in writes:
        if write.loses:
            _remove(connection, write)
        _insert(connection, write)
        _replace(connection, write)


def _insert(connection: sqlite3.Connection, write: TableWrite) -> None:
    rows = checks.count_staged(connection, write.gained)
    most = rows >= _MANY and rows >= checks.count_rows(connection, write.table.name)
    with without_indexes(connection, write.table) if most else nullcontext():
        if write.whole:
            _take_over(connection, write)
        else:
            names = column_list(map(name_in_database, write.columns))
            connection.execute(
                f"INSERT INTO main.{quote(write.table.name)} ({names}) "
                f"SELECT {column_list(write.columns)} FROM {write.gained} ORDER BY {PLACE}"
            )


def _take_over(connection: sqlite3.Connection, write: TableWrite) -> None:
    """Give an empty table every row that the copy has of it, under the same numbers."""
    into, names = f"main.{quote(write.table.name)}", column_list(write.columns)
    spelled = set(map(fold_case, write.columns))
    here, there = (_columns_in_order(connection, place, write.table) for place in ("main", COPY))
    if here == there and spelled == set(here):
        # Where both are declared alike, SQLite takes rows over as they lie there, and what its
        # indexes say of them. Those were not proven: they are made again from the rows.
        connection.execute(f"INSERT INTO {into} SELECT * FROM {write.gained}")
        connection.execute(f"REINDEX {into}")
    else:
        connection.execute(
            f"INSERT INTO {into} (rowid, {names}) SELECT rowid, {names} FROM {write.gained} "
            "ORDER BY rowid"
        )


def _columns_in_order(connection: sqlite3.Connection, place: str, table: Table) -> list[str]:
    listed = connection.execute("SELECT name FROM pragma_table_xinfo(?, ?)", (table.name, place))
    return [fold_case(str(name)) for (name,) in listed]


def _replace(connection: sqlite3.Connection, write: TableWrite) -> None:
    """Put other values into rows that stay where they are; their primary key stays too."""
    name = write.table.name
    place = name_staged("replace", name)
    values = ", ".join(f"{quote(name_in_database(c))} = staged.{quote(c)}" for c in write.replaced)
    number = row_number_of(names_of_columns(connection, name))
    if write.whole or not write.replaced or not checks.count_staged(connection, place):
        return
    connection.execute(
        f"UPDATE main.{quote(name)} AS kept SET {values} "
        f"FROM {place} AS staged "
        f"WHERE kept.{number} = staged.{TARGET_ROWID}"
    )


def _remove(connection: sqlite3.Connection, write: TableWrite) -> None:
    name = write.table.name
    number = row_number_of(names_of_columns(connection, name))
    connection.execute(
        f"DELETE FROM main.{quote(name)} WHERE {number} IN "
        f"(SELECT {TARGET_ROWID} FROM {name_staged('leave', name)})"
    )


def write_derived(connection: sqlite3.Connection) -> None:
    """Write and remove the derived rows that are staged."""
    for table in ("entity_snapshots", "relationship_snapshots"):
        _write_derived(connection, BY_NAME[table])


def _write_derived(connection: sqlite3.Connection, table: Table) -> None:
    (key,) = table.key
    names = column_list(table.names)
    into, key_of = f"main.{quote(table.name)}", quote(key)
    for kind in ("write", "remove"):
        place = name_staged(kind, table.name)
        # By row number: to look keys up, SQLite would first sort all that are staged.
        connection.execute(
            f"DELETE FROM {into} WHERE rowid IN (SELECT there.rowid FROM {place} AS staged "
            f"JOIN {into} AS there ON there.{key_of} = staged.{key_of})"
        )
    connection.execute(
        f"INSERT INTO {into} ({names}) SELECT {names} FROM {name_staged('write', table.name)}"
    )
