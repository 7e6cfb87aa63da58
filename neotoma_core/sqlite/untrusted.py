"""Opening databases from outside: what they say of themselves is read, and nothing hostile is run.

A database may hold triggers, views, virtual tables and expressions of somebody else's making.
Neotoma makes none of them but the vector index, so Midden needs none of them to run. Expressions in
an index, a generated column or a CHECK rule are run by SQLite itself; those may use functions that
compute and do nothing else.
"""

import re
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from neotoma_core.neotoma.cells import cell_of_text
from neotoma_core.neotoma.ddl import quote

PRAGMAS: Final = ("trusted_schema = OFF", "cell_size_check = ON")
"""For every connection: functions with side effects are not called from a schema, and damaged
pages are noticed before their cells are used."""

# SQLite says of each function whether it is harmless in a schema ("innocuous"). Up to 3.44 it does
# not say so of the functions on JSON, which are.
_INNOCUOUS: Final = 0x200000
_ON_JSON: Final = re.compile(r"\bjson\w*|->>?", re.IGNORECASE)
_BETWEEN: Final = r"""["'\]`]?(?:\s|/\*.*?\*/|--[^\n]*\n)*\("""  # a name and its arguments

T = TypeVar("T")
_UNDECODABLE: Final = "a schema with invalid UTF-8"


class _Connection(sqlite3.Connection):
    """A connection that raises SQLite's errors also where they quote bytes that are not UTF-8."""

    def execute(self, *arguments: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as its own
        return _decode(lambda: super(_Connection, self).execute(*arguments))

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as its own
        return _decode(lambda: super(_Connection, self).executemany(*arguments))


def _decode(action: Callable[[], T]) -> T:
    try:
        return action()
    except UnicodeDecodeError:
        damaged = sqlite3.DatabaseError(_UNDECODABLE)
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        damaged.sqlite_errorname = "SQLITE_CORRUPT"
    raise damaged  # outside the handler, whose error holds the bytes


def connect(database: Path | str, *, timeout: float = 5.0, uri: bool = False) -> sqlite3.Connection:
    """Connect to a database from outside, each statement a transaction of its own.

    What SQLite says of a damaged schema quotes it; where Python cannot decode that, the error is
    still an ``sqlite3.DatabaseError``.
    """
    return sqlite3.connect(
        database, timeout=timeout, isolation_level=None, uri=uri, factory=_Connection
    )


def is_locked(error: sqlite3.DatabaseError) -> bool:
    """Return whether another program's lock is what SQLite complains about."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def guard_connection(connection: sqlite3.Connection, *, reading: bool = True) -> sqlite3.Connection:
    """Return ``connection`` once nothing hostile that its databases hold can be run through it.

    Text is read as cells; see ``cells``.

    ``reading``: nor need what they hold keep their own CHECK rules, whose expressions SQLite's
    integrity check would evaluate.
    """
    connection.text_factory = cell_of_text
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    if reading:
        connection.execute("PRAGMA ignore_check_constraints = ON")
    if sys.version_info >= (3, 12):
        for option, enabled in (
            (sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True),
            (sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, False),
            (sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW, False),
        ):
            connection.setconfig(option, enabled)
    _trust_for_json(connection)
    return connection


def attach(connection: sqlite3.Connection, name: str, uri: str) -> None:
    """Attach a database from outside to a guarded connection, which stays guarded."""
    try:
        connection.execute("PRAGMA trusted_schema = ON")  # attaching reads the schema
        connection.execute(f"ATTACH ? AS {quote(name)}", (uri,))
    finally:
        _trust_for_json(connection)


def _trust_for_json(connection: sqlite3.Connection) -> None:
    trusted = _is_trusted_for_json(connection)
    connection.execute(f"PRAGMA trusted_schema = {'ON' if trusted else 'OFF'}")


def _is_trusted_for_json(connection: sqlite3.Connection) -> bool:
    """Return whether tables and indexes use functions on JSON, and none that is not harmless.

    False where the schema cannot be read; what is wrong is then said by whoever reads the rest.
    """
    try:
        # Reading a schema runs nothing in it, but needs it trusted to be read at all.
        connection.execute("PRAGMA trusted_schema = ON")
        definitions = "\n;".join(_definitions(connection))
        return bool(_ON_JSON.search(definitions)) and not _risky(connection).search(definitions)
    except sqlite3.DatabaseError:
        return False


def _risky(connection: sqlite3.Connection) -> re.Pattern[str]:
    """Return what finds a call of a function that does more than compute."""
    names = [
        str(name)
        for (name,) in connection.execute(
            f"SELECT DISTINCT name FROM pragma_function_list WHERE NOT flags & {_INNOCUOUS}"
        )
        if not _ON_JSON.fullmatch(str(name))
    ]
    calls = f"(?:{'|'.join(map(re.escape, names))}){_BETWEEN}"
    return re.compile(rf"\b(?:{calls}|MATCH\b)", re.IGNORECASE | re.DOTALL)


def _definitions(connection: sqlite3.Connection) -> list[str]:
    """Return how every table and index of all attached databases is defined."""
    databases = [str(name) for _, name, _ in connection.execute("PRAGMA database_list")]
    return [
        str(sql)
        for database in databases
        for (sql,) in connection.execute(
            f"SELECT sql FROM {quote(database)}.sqlite_schema "
            "WHERE type IN ('table', 'index') AND sql IS NOT NULL"
        )
    ]
