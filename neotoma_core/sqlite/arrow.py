"""SQLite and Arrow: query results as Arrow tables, frames as SQLite tables.

Uses the ADBC driver itself rather than its DB-API layer, which imports far more than a run needs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import adbc_driver_sqlite
import polars as pl
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_manager import Error as AdbcError

from neotoma_core.errors import BackupUnreadable
from neotoma_core.sqlite.untrusted import PRAGMAS


@contextmanager
def arrow_connection(place: Path | str) -> Iterator[AdbcConnection]:
    """Open a database by path or ``file:`` URI; see ``sqlite/untrusted.py``."""
    uri = place.absolute().as_uri() if isinstance(place, Path) else place
    with adbc_driver_sqlite.connect(uri) as database, AdbcConnection(database) as connection:
        for pragma in PRAGMAS:
            execute(connection, f"PRAGMA {pragma}")
        yield connection


def immutable_uri(database: Path) -> str:
    """Return the URI that reads a whole copy without touching it."""
    return f"{database.resolve().as_uri()}?mode=ro&immutable=1"


@contextmanager
def translate_errors(original: Path, table: str) -> Iterator[None]:
    """Turn what the driver says of a table that it cannot read into an error of ours.

    Raises BackupUnreadable; ``original`` is what it names.
    """
    try:
        yield
    except AdbcError as error:
        wrong = f"SQLite cannot read its table {table}"
        raise BackupUnreadable(
            original, wrong, "go on without it with --skip-unreadable"
        ) from error


def fetch(connection: AdbcConnection, query: str) -> pa.Table:
    """Return the result of a query."""
    with batches(connection, query) as reader:
        return reader.read_all()


@contextmanager
def batches(
    connection: AdbcConnection, query: str, rows: int = 1024
) -> Iterator[pa.RecordBatchReader]:
    """Read the result of a query batch by batch, ``rows`` rows at a time."""
    with AdbcStatement(connection) as statement:
        statement.set_options(**{"adbc.sqlite.query.batch_rows": str(rows)})
        statement.set_sql_query(query)
        stream, _ = statement.execute_query()
        yield pa.RecordBatchReader.from_stream(stream)


def execute(connection: AdbcConnection, sql: str) -> None:
    """Run a statement that returns nothing."""
    with AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        statement.execute_update()


def ingest(
    connection: AdbcConnection, table: str, frame: pl.DataFrame, *, temporary: bool = False
) -> None:
    """Append the rows of a frame to ``table``, which is created where there is none.

    ``temporary``: the table is the connection's own, in no database.
    """
    options = {
        "adbc.ingest.target_table": table,
        "adbc.ingest.mode": "adbc.ingest.mode.create_append",
    }
    if temporary:
        options["adbc.ingest.temporary"] = "true"
    with AdbcStatement(connection) as statement:
        statement.set_options(**options)
        statement.bind_stream(frame.to_arrow().to_reader())
        statement.execute_update()
