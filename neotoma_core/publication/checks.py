"""What is asked of a target inside the transaction that wrote to it. Facts only."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from neotoma_core.neotoma.ddl import column_list, is_among, quote
from neotoma_core.neotoma.frames import ROWID, TARGET_ROWID, frame_name, name_in_database
from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.neotoma.tables.carried import row_number_of
from neotoma_core.publication.staging import TableWrite, name_staged
from neotoma_core.sqlite.damage import NO_DAMAGE
from neotoma_core.sqlite.migration import names_of_columns


def count_rows(connection: sqlite3.Connection, table: str) -> int:
    """Return how many rows a table has, whatever its indexes have; none where it is not there."""
    if not names_of_columns(connection, table):
        return 0
    return _count(connection, table, "NOT INDEXED")


def count_staged(connection: sqlite3.Connection, place: str) -> int:
    """Return how many rows there are to write; ``place``: their table, in SQL."""
    (rows,) = connection.execute(f"SELECT count(*) FROM {place} NOT INDEXED").fetchone()
    return int(rows)


def count_written(
    connection: sqlite3.Connection, table: Table, place: str, names: Sequence[str]
) -> int:
    """Return how many of the rows to write are in the target with every cell as they have it.

    ``place``: their table, in SQL. ``names``: of columns as frames call them. Rows with a key are
    looked for by it.
    """
    if not table.key:
        return _count_whole(connection, table, place, names, "true", "true")
    rows = _count_in_order(connection, table, place, names)
    if rows == count_staged(connection, place):
        return rows
    keys = " AND ".join(f"there.{quote(k)} = staged.{quote(frame_name(k))}" for k in table.key)
    cells = " AND ".join(f"there.{quote(name_in_database(n))} IS staged.{quote(n)}" for n in names)
    (rows,) = connection.execute(
        f"SELECT count(*) FROM {place} AS staged "
        f"JOIN main.{quote(table.name)} AS there ON {keys} WHERE {cells}"
    ).fetchone()
    without = " OR ".join(f"{quote(k)} IS NULL" for k in table.key)
    staged_without = " OR ".join(f"{quote(frame_name(k))} IS NULL" for k in table.key)
    return int(rows) + _count_whole(connection, table, place, names, without, staged_without)


def _count_in_order(
    connection: sqlite3.Connection, table: Table, place: str, names: Sequence[str]
) -> int:
    """Return how many staged rows are the last of the target's table, in their order.

    That is how SQLite numbers rows that are inserted at once; to look each up by its key would take
    far longer. 0 where the numbers do not say.
    """
    if table.name not in BY_NAME or table.rowid != "rowid":
        return 0
    last = f"(SELECT max(rowid) FROM main.{quote(table.name)})"
    staged_last = f"(SELECT max(rowid) FROM {place})"
    cells = " AND ".join(f"there.{quote(name_in_database(n))} IS staged.{quote(n)}" for n in names)
    (rows,) = connection.execute(
        f"SELECT count(*) FROM {place} AS staged JOIN main.{quote(table.name)} "
        f"AS there ON there.rowid = staged.rowid - {staged_last} + {last} WHERE {cells}"
    ).fetchone()
    return int(rows)


def _count_whole(  # noqa: PLR0913, PLR0917 - what to look for, and where
    connection: sqlite3.Connection,
    table: Table,
    place: str,
    names: Sequence[str],
    where: str,
    staged_where: str,
) -> int:
    """Return how many staged rows without a key are in the target, by all their cells."""
    count = f"SELECT count(*) FROM {place} WHERE {staged_where}"
    (rows,) = connection.execute(count).fetchone()
    if not rows:
        return 0
    (missing,) = connection.execute(
        f"SELECT count(*) FROM (SELECT {column_list(names)} FROM {place} "
        f"WHERE {staged_where} EXCEPT SELECT {column_list([name_in_database(n) for n in names])} "
        f"FROM main.{quote(table.name)} WHERE {where})"
    ).fetchone()
    return int(rows) - int(missing)


def count_replaced(connection: sqlite3.Connection, write: TableWrite) -> int:
    """Return how many staged rows stand in the target where they were to take another's place."""
    name = write.table.name
    number = row_number_of(names_of_columns(connection, name))
    cells = " AND ".join(
        f"there.{quote(name_in_database(n))} IS staged.{quote(n)}" for n in write.replaced
    )
    (rows,) = connection.execute(
        f"SELECT count(*) FROM {name_staged('replace', name)} AS staged "
        f"JOIN main.{quote(name)} AS there ON there.{number} = staged.{TARGET_ROWID} "
        f"WHERE {cells or 'true'}"
    ).fetchone()
    return int(rows)


def count_staying(connection: sqlite3.Connection, table: Table) -> int:
    """Return how many of the rows that were to leave a table are still in it.

    A row that was inserted may have got the number of one that left.
    """
    number = row_number_of(names_of_columns(connection, table.name))
    (key,) = map(quote, table.key)
    (rows,) = connection.execute(
        f"SELECT count(*) FROM main.{quote(table.name)} WHERE {number} IN "
        f"(SELECT {TARGET_ROWID} FROM {name_staged('leave', table.name)}) "
        f"AND {key} NOT IN (SELECT {key} FROM {name_staged('insert', table.name)} "
        f"WHERE {key} IS NOT NULL)"
    ).fetchone()
    return int(rows)


def count_staged_keys(connection: sqlite3.Connection, table: Table, place: str) -> int:
    """Return how many keys of a staged table the target holds; ``place``: what SQL calls that."""
    (key,) = table.key
    (rows,) = connection.execute(
        f"SELECT count(*) FROM main.{quote(table.name)} WHERE {quote(key)} IN "
        f"(SELECT {quote(key)} FROM {place})"
    ).fetchone()
    return int(rows)


def count_dangling(connection: sqlite3.Connection, write: TableWrite) -> Iterator[tuple[str, int]]:
    """Yield column and rows of the references that lead nowhere in the rows that were written.

    Rows that were there keep what they refer to: nothing is taken away, and a row that is replaced
    keeps its key.
    """
    table = write.table.name
    places = [name_staged("insert", table), name_staged("replace", table)]
    if write.whole:  # the rows of the table itself: its indexes name them in order
        places = [f"main.{quote(table)}"]
    for column in write.table.columns:
        if column.refers is None or column.name not in write.columns:
            continue
        name = quote(column.name)
        rows = 0
        for place in places:
            (lost,) = connection.execute(
                f"SELECT count(*) FROM {place} AS staged WHERE {name} <> '' AND "
                f"NOT EXISTS (SELECT 1 FROM main.{quote(column.refers)} WHERE id = staged.{name})"
            ).fetchone()
            rows += int(lost)
        if rows:
            yield column.name, rows


def find_damaged_tables(connection: sqlite3.Connection, written: Iterable[str]) -> list[str]:
    """Return what is wrong with the tables ``written`` and their indexes.

    Every page of them is proven, and that each index has as many rows as its table; that the rows
    written are found by their keys is proven one by one elsewhere. The pages of other tables were
    proven when the same bytes were read, and that they still were the same is under the lock.
    """
    found: list[str] = []
    for table in written:
        damage = _find_damaged_pages(connection, table)
        found += damage or _incomplete_indexes(connection, table)
    return found


def _find_damaged_pages(connection: sqlite3.Connection, table: str) -> list[str]:
    lines = connection.execute(f"PRAGMA main.quick_check({quote(table)})").fetchall()
    found = [line for (text,) in lines for line in str(text).splitlines()]
    return [line for line in found if not line.startswith(NO_DAMAGE)]


def _incomplete_indexes(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """Yield the indexes that have more or fewer rows than their table."""
    indexes = connection.execute(
        "SELECT name FROM pragma_index_list(?) WHERE NOT partial", (table,)
    ).fetchall()
    rows = _count(connection, table, "NOT INDEXED")
    for (name,) in indexes:
        there = _count(connection, table, f"INDEXED BY {quote(str(name))}")
        if there != rows:
            yield f"index {name} of {table} has {there:,} rows, not {rows:,}"


def _count(connection: sqlite3.Connection, table: str, by: str) -> int:
    # A plain count(*) would read the smallest index, even if another one is named.
    (rows,) = connection.execute(f"SELECT total(1) FROM main.{quote(table)} {by}").fetchone()
    return int(rows)


def count_broken_foreign_keys(connection: sqlite3.Connection) -> Counter[tuple[str, str]]:
    """Return how many rows of a table refer, by its own rules, to no row of another: by both names.

    A rule that SQLite cannot apply, since it names what is not a key of the other, is ignored.
    """
    listed = connection.execute(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0 "
        "AND EXISTS (SELECT 1 FROM pragma_foreign_key_list(name, 'main'))"
    ).fetchall()
    found: Counter[tuple[str, str]] = Counter()
    for (name,) in listed:
        with suppress(sqlite3.OperationalError):
            broken = connection.execute(f"PRAGMA main.foreign_key_check({quote(str(name))})")
            found.update((str(table), str(parent)) for table, _, parent, _ in broken)
    return found


def say_foreign_keys(broken: Counter[tuple[str, str]]) -> list[str]:
    """Return broken foreign keys in words."""
    return [f"{table}: {n:,} rows refer to no row of {of}" for (table, of), n in broken.items()]


def read_where(
    connection: sqlite3.Connection,
    table: Table,
    column: str,
    values: Sequence[str],
    *,
    by_index: bool,
) -> Iterator[dict[str, object]]:
    """Yield rows of ``table`` whose ``column`` is one of ``values``, as column → value.

    Their numbers are there, too, as ``_rowid``. ``by_index``: by an index of the table, where there
    is one; otherwise all rows are looked at.
    """
    cursor = connection.execute(
        f"SELECT {table.rowid} AS {quote(ROWID)}, * FROM main.{quote(table.name)} "
        f"{'' if by_index else 'NOT INDEXED'} WHERE {is_among(column, values)}"
    )
    names = [description[0] for description in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))
