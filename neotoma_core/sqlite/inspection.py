"""What a database holds: its tables as it states them, and what else is in it, which is not run.

Read from SQLite's own schema table, so that no module of a virtual table is loaded, no view is
looked into, and no expression of a schema is evaluated.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from neotoma_core.errors import BackupUnreadable, NotNeotoma, TargetError
from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.tables import BY_NAME, Column, Index, Table
from neotoma_core.neotoma.tables.carried import describe_column, fold_case, owner_of, row_number_of
from neotoma_core.sqlite.opening import damage_of

_REQUIRED: Final = {"observations": ("id", "entity_id", "fields"), "entities": ("id",)}
_NEOTOMAS: Final = 8  # so many of its tables no other program has by chance
_PLAIN: Final = "CREATE TABLE"  # so SQLite itself writes it, whatever was typed
_MOST_COLUMNS: Final = 1_900  # SQLite selects no more than 2,000 at a time
_OWN_RULES: Final = re.compile(r"\b(CHECK|COLLATE|REFERENCES|STRICT)\b", re.IGNORECASE)
_KNOWN_COLUMNS: Final = {
    table.name: {column.name: column for column in table.columns} for table in BY_NAME.values()
}
_SPELLING: Final = {fold_case(name): name for name in BY_NAME}


@dataclass(frozen=True, slots=True)
class StoredTable:
    """An ordinary table as a database has it: its columns in stored order, and its rows.

    ``facts``: what the database says of it. ``barred``: why its rows cannot be told apart or read,
    if so. ``own_rules``: whether it refuses rows by rules that are not in the facts. ``indexes``:
    the names of its secondary indexes.
    """

    name: str
    columns: tuple[str, ...]
    rows: int
    facts: Table
    barred: str = ""
    own_rules: bool = False
    indexes: tuple[str, ...] = ()

    @property
    def known(self) -> Table:
        """Neotoma's facts of the table, with what this database calls the number of a row."""
        return replace(BY_NAME[self.name], rowid=self.facts.rowid)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Something that is not an ordinary column or table, which is neither run nor copied."""

    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """``tables``: the ordinary ones. ``others``: what else there is. ``names``: of all, folded."""

    tables: tuple[StoredTable, ...]
    others: tuple[StoredObject, ...]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row of SQLite's schema table."""

    type: str
    name: str
    rootpage: int
    sql: str

    @property
    def ordinary(self) -> bool:
        return self.type == "table" and self.rootpage > 0 and self.sql.startswith(_PLAIN)


def inspect_database(connection: sqlite3.Connection, original: Path) -> Inspection:
    """Return what a database holds; ``original`` is only named in messages.

    Raises NotNeotoma where Neotoma's own tables are not there as tables, BackupUnreadable for text
    in another encoding than Neotoma's, BackupDamaged where the schema cannot be read.
    """
    try:
        entries = _entries(connection)
        _require_utf8(connection, original)
        virtual = [e.name for e in entries if e.type == "table" and not e.ordinary]
        tables, others = [], [StoredObject(e.name, _what(e)) for e in entries if _is_other(e)]
        for entry in entries:
            if entry.ordinary:
                tables.append(_inspect_table(connection, entry, virtual))
                others += _find_generated(connection, entry.name)
    except sqlite3.DatabaseError as error:
        raise damage_of(original, str(error)) from error
    _require_neotoma(tables, others, original)
    names = frozenset(fold_case(e.name) for e in entries if e.type != "trigger")
    return Inspection(tuple(tables), tuple(others), names)


def require_writable(inspection: Inspection, target: Path) -> None:
    """Raise TargetError where something else has the name of a table that is to be written to."""
    found = {table.name: table.barred for table in inspection.tables if table.barred}
    found |= {_SPELLING.get(fold_case(o.name), ""): o.what for o in inspection.others}
    for name, table in BY_NAME.items():
        if name in found and found[name] != "a trigger" and (table.merged or _is_derived(table)):
            raise TargetError(
                target, f"its {name} is {found[name]}, not a plain table", "remove or rename it"
            )


def _is_derived(table: Table) -> bool:
    return table.kind == "derived"


def names_of(tables: Iterable[StoredTable]) -> frozenset[str]:
    """Return the names of tables and of their secondary indexes."""
    return frozenset(name for table in tables for name in (table.name, *table.indexes))


def list_tables(connection: sqlite3.Connection, original: Path) -> tuple[StoredTable, ...]:
    """Return the ordinary tables; raises as ``inspect_database`` does."""
    return inspect_database(connection, original).tables


def _entries(connection: sqlite3.Connection) -> list[_Entry]:
    rows = connection.execute(
        "SELECT type, name, rootpage, CAST(sql AS BLOB) FROM sqlite_schema ORDER BY name"
    )
    return [
        _Entry(str(t), str(n), int(p or 0), (s or b"").decode(errors="replace"))
        for t, n, p, s in rows.fetchall()
    ]


def _require_utf8(connection: sqlite3.Connection, original: Path) -> None:
    (encoding,) = connection.execute("PRAGMA encoding").fetchone()
    if encoding != "UTF-8":
        raise BackupUnreadable(
            original, f"its text is {encoding}, which Neotoma does not write", "leave it out"
        )


def _require_neotoma(
    tables: Sequence[StoredTable], others: Sequence[StoredObject], original: Path
) -> None:
    columns = {table.name: set(table.columns) for table in tables if not table.barred}
    if all(set(needed) <= columns.get(name, set()) for name, needed in _REQUIRED.items()):
        return
    barred = {table.name: table.barred for table in tables if table.barred}
    barred |= {_SPELLING.get(fold_case(other.name), other.name): other.what for other in others}
    for name, needed in _REQUIRED.items():
        found = next((n for n in (name, *(f"{name}.{c}" for c in needed)) if n in barred), None)
        if found:
            wrong = f"not a database that Neotoma wrote ({found} is {barred[found]})"
            raise NotNeotoma(original, wrong, "leave it out")
    if set(_REQUIRED) <= set(columns) and len(set(columns) & set(BY_NAME)) >= _NEOTOMAS:
        raise damage_of(original, "tables of Neotoma without columns that they need")
    raise NotNeotoma(
        original,
        "a SQLite database, but not a Neotoma database (it has no observation log)",
        "leave it out",
    )


def _is_other(entry: _Entry) -> bool:
    return entry.type in ("view", "trigger") or (entry.type == "table" and not entry.ordinary)


def _what(entry: _Entry) -> str:
    return "a virtual table" if entry.type == "table" else f"a {entry.type}"


def _inspect_table(
    connection: sqlite3.Connection, entry: _Entry, virtual: Sequence[str]
) -> StoredTable:
    name = _SPELLING.get(fold_case(entry.name), entry.name)
    listed = connection.execute(
        'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)', (name,)
    ).fetchall()
    spelled = {fold_case(known): column for known, column in _KNOWN_COLUMNS.get(name, {}).items()}
    columns = tuple(
        spelled.get(fold_case(str(column)))
        or describe_column(str(column), str(declared or ""), default, required=bool(required))
        for column, declared, required, default, _ in listed
    )
    key = [(place, c.name) for c, (*_, place) in zip(columns, listed, strict=True) if place]
    # A count(*) reads the smallest index, which may lack rows, even if another is named.
    (rows,) = connection.execute(f"SELECT total(1) FROM {quote(name)} NOT INDEXED").fetchone()
    number = row_number_of([column.name for column in columns])
    unique, barred_unique, indexes = _indexes(connection, name)
    facts = Table(
        name,
        BY_NAME[name].kind if name in BY_NAME else "carried",
        _not_numbered(columns, key, indexes),
        key=tuple(column for _, column in sorted(key)),
        indexes=unique,
        rowid=number or "rowid",
    )
    return StoredTable(
        name,
        facts.names,
        int(rows),
        facts,
        _why_barred(connection, facts, number, virtual),
        barred_unique or bool(_OWN_RULES.search(entry.sql)),
        tuple(index for index in indexes if not index.startswith("sqlite_autoindex_")),
    )


def _not_numbered(
    columns: tuple[Column, ...], key: list[tuple[int, str]], indexes: Sequence[str]
) -> tuple[Column, ...]:
    """Return the columns so that a key with an index of its own does not become the row number."""
    own_index = any(index.startswith("sqlite_autoindex_") for index in indexes)
    if len(key) != 1 or not own_index:
        return columns
    return tuple(
        replace(c, declared="INT")
        if c.name == key[0][1] and (c.declared or "").upper() == "INTEGER"
        else c
        for c in columns
    )


def _why_barred(
    connection: sqlite3.Connection, facts: Table, number: str | None, virtual: Sequence[str]
) -> str:
    """Return why the rows of a table cannot be merged one by one; nothing where they can."""
    owner = owner_of(facts.name, virtual) if facts.name not in BY_NAME else None
    if owner is not None:
        return f"belongs to the virtual table {owner}"
    if number is None:
        return "its columns hide the numbers of its rows"
    if len(facts.columns) > _MOST_COLUMNS:
        return f"more than {_MOST_COLUMNS:,} columns"
    with suppress(sqlite3.OperationalError):
        connection.execute(f"SELECT {number} FROM {quote(facts.name)} LIMIT 0").fetchall()
        return ""
    return "a table WITHOUT ROWID"


def _indexes(
    connection: sqlite3.Connection, table: str
) -> tuple[tuple[Index, ...], bool, tuple[str, ...]]:
    """Return the plain unique keys besides the primary one, whether others are unique, all names.

    A key is plain if it is made of columns, in SQLite's own order of bytes, of every row.
    """
    unique, others, names = [], False, []
    listed = connection.execute(
        'SELECT name, "unique", origin, partial FROM pragma_index_list(?)', (table,)
    ).fetchall()
    for name, is_unique, origin, partial in listed:
        names.append(str(name))
        if not is_unique or origin == "pk":
            continue
        parts = connection.execute(
            "SELECT cid, name, coll FROM pragma_index_xinfo(?) WHERE key", (name,)
        ).fetchall()
        if partial or any(cid < 0 or coll != "BINARY" for cid, _, coll in parts):
            others = True
        else:
            columns = tuple(str(column) for _, column, _ in parts)
            unique.append(Index(str(name), columns, unique=True))
    return tuple(unique), others, tuple(names)


def _find_generated(connection: sqlite3.Connection, table: str) -> Iterator[StoredObject]:
    """Yield the generated columns, which no row of a table need bring along."""
    listed = connection.execute(
        "SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 0", (table,)
    ).fetchall()
    known = _SPELLING.get(fold_case(table), table)
    for (column,) in listed:
        yield StoredObject(f"{known}.{column}", "a column computed from others")
