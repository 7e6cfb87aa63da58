"""How the tables of two whole copies differ, row by row: keys and counts, never values."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.sqlite.inspection import StoredTable, inspect_database
from neotoma_core.sqlite.opening import connect_read_only, damage_of
from neotoma_core.sqlite.untrusted import attach, guard_connection

MOST_IDS: Final = 100_000
"""In a report; a database of any size may take the place of nothing."""

_Differing = tuple[int, tuple[str, ...]]
"""How many rows, and the keys of the first of them."""


@dataclass(frozen=True, slots=True)
class TableDifference:
    """What becomes of one table: how many rows, and the ids of those, where they have one.

    The ids of a table with secrets are not shown, and of each kind no more than the first
    ``MOST_IDS``.
    """

    table: str
    inserted: int
    removed: int
    changed: int
    inserted_ids: tuple[str, ...] = ()
    removed_ids: tuple[str, ...] = ()
    changed_ids: tuple[str, ...] = ()


def find_differences(
    held: Path | None, offered: Path | None, original: Path
) -> tuple[TableDifference, ...]:
    """Return the tables that differ where ``offered`` takes the place of ``held``; None: no rows.

    ``original`` is only named in messages. Raises BackupDamaged.
    """
    with closing(guard_connection(sqlite3.connect(":memory:", uri=True))) as nothing:
        before, after = (_tables(path, original) if path else {} for path in (held, offered))
        base = connect_read_only(held) if held else nothing
        with closing(base) as connection:
            try:
                if offered:
                    place = f"{offered.resolve().as_uri()}?mode=ro&immutable=1"
                    attach(connection, "offered", place)
                found = [
                    _difference(connection, before.get(name), after.get(name))
                    for name in sorted({*before, *after})
                ]
            except sqlite3.DatabaseError as error:
                raise damage_of(original, str(error)) from error
    return tuple(one for one in found if one.inserted or one.removed or one.changed)


def _tables(path: Path, original: Path) -> dict[str, StoredTable]:
    with closing(connect_read_only(path)) as connection:
        return {t.name: t for t in inspect_database(connection, original).tables}


def _difference(
    connection: sqlite3.Connection, before: StoredTable | None, after: StoredTable | None
) -> TableDifference:
    one = before or after
    assert one is not None  # noqa: S101 - named by one of them
    facts = BY_NAME.get(one.name)
    columns = set(before.columns if before else one.columns) & set(
        after.columns if after else one.columns
    )
    key = facts.key if facts and facts.key and set(facts.key) <= columns else ()
    places = tuple(
        f"{schema}.{quote(one.name)}" if there else None
        for schema, there in (("main", before), ("offered", after))
    )
    inserted = _lacking(connection, places[1], places[0], key or sorted(columns))
    removed = _lacking(connection, places[0], places[1], key or sorted(columns))
    changed = _find_changed(connection, places, key, sorted(columns - set(key)))
    shown = bool(key) and facts is not None and facts.kind != "secret"
    counts = (inserted[0], removed[0], changed[0])
    ids = (inserted[1], removed[1], changed[1]) if shown else ((), (), ())
    return TableDifference(one.name, *counts, *ids)


def _lacking(
    connection: sqlite3.Connection, here: str | None, there: str | None, columns: Sequence[str]
) -> _Differing:
    """Return the rows of one table that another lacks."""
    if here is None:
        return 0, ()
    same = " AND ".join(f"b.{quote(c)} IS a.{quote(c)}" for c in columns)
    without = f" WHERE NOT EXISTS (SELECT 1 FROM {there} b WHERE {same})" if there else ""
    return _count_keys(connection, f"FROM {here} a{without}", columns)


def _find_changed(
    connection: sqlite3.Connection,
    places: tuple[str | None, ...],
    key: Sequence[str],
    columns: Sequence[str],
) -> _Differing:
    if None in places or not key or not columns:
        return 0, ()
    same = " AND ".join(f"b.{quote(c)} = a.{quote(c)}" for c in key)
    differs = " OR ".join(f"b.{quote(c)} IS NOT a.{quote(c)}" for c in columns)
    query = f"FROM {places[0]} a JOIN {places[1]} b ON {same} WHERE {differs}"
    return _count_keys(connection, query, key)


def _count_keys(connection: sqlite3.Connection, query: str, columns: Sequence[str]) -> _Differing:
    """Return how many rows a query finds, and the keys of the first of them, in their order."""
    named = ", ".join(f"a.{quote(c)}" for c in columns)
    rows = connection.execute(f"SELECT {named} {query} ORDER BY {named}")
    first = tuple(" ".join(map(str, row)) for row in islice(rows, MOST_IDS))
    return len(first) + sum(1 for _ in rows), first
