"""What SQLite's integrity checks say of a database, also of one with a schema it cannot run."""

import sqlite3
from typing import Final, Literal

from neotoma_core.neotoma.ddl import quote

# Not damage of what Midden reads: rows that break a rule are set aside one by one, later, and what
# a virtual table keeps is its module's affair.
NO_DAMAGE: Final = (
    "ok",
    "*** in database",
    "NULL value in ",
    "CHECK constraint failed in ",
    "NUMERIC value in ",
    "TEXT value in ",
    "non-",  # unique entry in an index; INTEGER value in a column of a STRICT table
    "malformed inverted index for FTS",
    "unable to validate the inverted index for FTS",
)
SHOWN_PROBLEMS: Final = 3

CheckName = Literal["integrity_check", "quick_check"]
"""The quick check proves every page of every table and index; the other also that each index has
what its table has, which takes ten times as long."""


def integrity_lines(connection: sqlite3.Connection, check: CheckName) -> list[str]:
    """Return what a check finds, all of it, or the first of it where it gives up on the rest."""
    reason = ""
    for most in (2**31 - 1, SHOWN_PROBLEMS, 1):
        try:
            return _lines(connection, f"{check}({most})")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                return _table_by_table(connection, check)
            reason = str(error)
    return [reason]


def _table_by_table(connection: sqlite3.Connection, check: CheckName) -> list[str]:
    """Check one table after the other: the check refuses as a whole what it cannot run in one.

    That is a function this SQLite does not have, or does not trust, in an index or a generated
    column. Such a table itself is read without; damage in it shows as it is read.
    """
    names = connection.execute(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0"
    ).fetchall()
    found = []
    for (name,) in names:
        try:
            found += _lines(connection, f"{check}({quote(str(name))})")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                found.append(str(error))
    return found


def _lines(connection: sqlite3.Connection, pragma: str) -> list[str]:
    rows = connection.execute(f"PRAGMA main.{pragma}").fetchall()
    return [line for (text,) in rows for line in str(text).splitlines()]
