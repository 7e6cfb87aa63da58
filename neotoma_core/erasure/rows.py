"""Erasing rows from a database, and the traces they leave in its files.

Invariant: at every instant the database is the old one or the one without the rows. Order: lock →
is it still what was read → rows deleted, their bytes overwritten → derived rows → checks → commit →
the file vacuumed, its log truncated. Killed before the last step, the rows
are gone and traces of older versions of them may be left; scrubbing again removes those.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.errors import ErasureUnfinished
from neotoma_core.files.atomic import announce
from neotoma_core.files.failures import failure_of
from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.publication.transaction import (
    Proven,
    Publication,
    Verify,
    lock_target,
    prove_and_commit,
)
from neotoma_core.publication.writing import write_derived
from neotoma_core.sqlite.arrow import arrow_connection, execute, ingest
from neotoma_core.sqlite.migration import migrate
from neotoma_core.sqlite.untrusted import connect, is_locked

STEPS: Final = ("locked", "rows_erased", "derived_written", "verified", "committed", "scrubbed")
_PATIENCE_SECONDS: Final = 5.0
_IDS: Final = "erased_ids"


def stage_erasure(
    staging: Path, rows: Mapping[str, pl.Series], ids: Mapping[str, Iterable[str]]
) -> None:
    """Stage the numbers of the rows to delete, by table, and the ids they name, by kind."""
    with arrow_connection(staging) as connection:
        execute(connection, "PRAGMA synchronous = OFF")
        for table, numbers in rows.items():
            ingest(connection, f"erase_{table}", pl.DataFrame({ROWID: numbers}))
        named = [pl.DataFrame({"kind": k, "id": sorted(i)}, schema=_SCHEMA) for k, i in ids.items()]
        ingest(connection, _IDS, pl.concat([pl.DataFrame(schema=_SCHEMA), *named]))


_SCHEMA: Final = {"kind": pl.String, "id": pl.String}


def erase_rows(
    publication: Publication, tables: Sequence[str], verify: Verify[Proven], *, writes_derived: bool
) -> Proven:
    """Delete the staged rows of ``tables`` and write the staged derived rows, all or nothing.

    Returns what ``verify`` proved.

    ``verify``: as for ``publish``. ``writes_derived``: whether any derived row is
    staged; then columns the derived tables lack are added first. Raises TargetLocked,
    TargetChanged, DiskFull.
    """
    database = publication.target
    with lock_target(database, publication.staging, publication.as_read) as connection:
        connection.execute("PRAGMA main.secure_delete = ON").fetchone()
        announce("locked")
        for table in tables:
            connection.execute(
                f"DELETE FROM main.{quote(table)} WHERE rowid IN "
                f"(SELECT {ROWID} FROM staging.{quote('erase_' + table)})"
            )
        announce("rows_erased", connection)
        if writes_derived:
            migrate(connection, ())
            write_derived(connection)
        return prove_and_commit(connection, database, verify)


@contextmanager
def finishing(database: Path) -> Iterator[None]:
    """Raise ErasureUnfinished for whatever fails once the rows are gone and traces may be left."""
    try:
        yield
    except ErasureUnfinished:
        raise
    except Exception as error:
        failure = failure_of(error, database)
        if failure is None:
            raise
        raise ErasureUnfinished(database, str(failure)) from error


def scrub(database: Path) -> None:
    """Vacuum the file and truncate its log.

    Free space holds what was deleted before, such as older snapshots. Raises ErasureUnfinished
    where another program is in the way.
    """
    try:
        with closing(connect(database, timeout=_PATIENCE_SECONDS)) as connection:
            connection.execute("PRAGMA secure_delete = ON").fetchone()
            connection.execute("VACUUM")
            blocked, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        raise ErasureUnfinished(database) from error
    if blocked:
        raise ErasureUnfinished(database)
    announce("scrubbed")


def count_named(connection: sqlite3.Connection, table: str, column: str, kind: str) -> int:
    """Return how many rows of the database name a staged id of ``kind`` in ``column``."""
    (rows,) = connection.execute(
        f"SELECT count(*) FROM main.{quote(table)} WHERE {quote(column)} IN "
        f"(SELECT id FROM staging.{_IDS} WHERE kind = ?)",
        (kind,),
    ).fetchone()
    return int(rows)
