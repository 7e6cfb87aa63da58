"""SQLite and frames by way of Arrow: query results as frames, frames as SQLite tables.

Uses the ADBC driver itself rather than its DB-API layer, and hands Arrow to Polars without pyarrow
between: both would import far more than a run needs. Only ``batches`` loads pyarrow.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import adbc_driver_sqlite
import polars as pl
from adbc_driver_manager import AdbcConnection, AdbcStatement, AdbcStatusCode, OperationalError
from adbc_driver_manager import Error as AdbcError

from neotoma_core.errors import BackupUnreadable
from neotoma_core.sqlite.untrusted import PRAGMAS

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1024  # the driver tells the type of a column from those of its first batch


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


def fetch(connection: AdbcConnection, query: str) -> pl.DataFrame:
    """Return the result of a query, texts as bytes: see ``as_bytes``.

    Raises AdbcError, which quotes no value where SQLite fails after the first rows.
    """
    with AdbcStatement(connection) as statement:
        _ask(statement, query, _BATCH_ROWS)
        stream, _ = statement.execute_query()
        try:
            return as_bytes(pl.DataFrame(stream))
        except pl.exceptions.PolarsError:
            wrong = "SQLite failed while its rows were read"
            raise OperationalError(wrong, status_code=AdbcStatusCode.IO) from None


def as_bytes(read: pl.DataFrame) -> pl.DataFrame:
    """Return what was read of SQLite with texts as their bytes.

    Polars trusts Arrow's text to be UTF-8, and SQLite does not promise it.
    """
    return read.with_columns(pl.selectors.string().cast(pl.Binary))


@contextmanager
def batches(
    connection: AdbcConnection, query: str, rows: int = _BATCH_ROWS
) -> Iterator["pa.RecordBatchReader"]:
    """Read the result of a query batch by batch, ``rows`` rows at a time."""
    import pyarrow as pa  # noqa: PLC0415 - slow to load; only what may not fit into memory needs it

    with AdbcStatement(connection) as statement:
        _ask(statement, query, rows)
        stream, _ = statement.execute_query()
        yield pa.RecordBatchReader.from_stream(stream)


def _ask(statement: AdbcStatement, query: str, rows: int) -> None:
    statement.set_options(**{"adbc.sqlite.query.batch_rows": str(rows)})
    statement.set_sql_query(query)


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
        statement.bind_stream(frame)
        statement.execute_update()
