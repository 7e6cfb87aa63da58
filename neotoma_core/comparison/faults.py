"""Reading the faults of a whole copy: what SQLite's own checks find in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from neotoma_core.publication.checks import count_broken_foreign_keys
from neotoma_core.sqlite.damage import CheckName, integrity_lines
from neotoma_core.sqlite.faults import Fault, faults_in, reference_fault
from neotoma_core.sqlite.opening import connect_read_only, prepare_check


def read_faults(whole: Path) -> tuple[Fault, ...]:
    """Return every fault of a whole copy."""
    with closing(connect_read_only(whole)) as connection:
        prepare_check(connection)
        return (*run_check(connection, "integrity_check"), *references(connection))


def read_broken_references(whole: Path) -> tuple[Fault, ...]:
    """Return the foreign keys of a whole copy that lead nowhere."""
    with closing(connect_read_only(whole)) as connection:
        return references(connection)


def run_check(connection: sqlite3.Connection, check: CheckName) -> tuple[Fault, ...]:
    """Return what a check of SQLite's finds, table by table."""
    listed = connection.execute("SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index'")
    owners = {str(name): str(table) for name, table in listed}
    return faults_in(integrity_lines(connection, check), owners)


def references(connection: sqlite3.Connection) -> tuple[Fault, ...]:
    """Return the rows whose foreign keys lead nowhere."""
    broken = count_broken_foreign_keys(connection)
    return tuple(reference_fault(table, of, rows) for (table, of), rows in broken.items())
