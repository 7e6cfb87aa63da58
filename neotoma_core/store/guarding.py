"""Opening databases from outside: what they say of themselves is read, and nothing in them is run.

A database may hold triggers, views, virtual tables and expressions of somebody else's making.
Neotoma makes none of them but the vector index, so Midden needs none of them to run.
"""

import sqlite3
import sys
from typing import Final

from neotoma_core.cells import cell_of_text

PRAGMAS: Final = ("trusted_schema = OFF", "cell_size_check = ON")
"""For every connection: functions with side effects are not called from a schema, and damaged
pages are noticed before their cells are used."""


def guarded(connection: sqlite3.Connection, *, reading: bool = True) -> sqlite3.Connection:
    """Return ``connection`` once nothing that its databases hold can be run through it.

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
            (sqlite3.SQLITE_DBCONFIG_TRUSTED_SCHEMA, False),
            (sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, False),
            (sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW, False),
        ):
            connection.setconfig(option, enabled)
    return connection
