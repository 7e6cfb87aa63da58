"""Databases with tables that Neotoma does not know, made statement by statement."""

import sqlite3
from contextlib import closing
from pathlib import Path

from neotoma_core.merge.accounting import RowCounts
from neotoma_core.recovery.report import RecoveryReport
from tests.support.databases import make_database


def run(path: Path, *statements: str) -> Path:
    """Execute statements on a database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def pair(tmp_path: Path, *statements: str) -> tuple[Path, Path]:
    """Return an empty target, and a backup in which the statements were executed."""
    target = make_database(tmp_path / "target.db")
    return target, run(make_database(tmp_path / "backup.db"), *statements)


def counts_of(report: RecoveryReport, table: str) -> RowCounts:
    (counts,) = (c for c in report.tables if c.table == table)
    return counts
