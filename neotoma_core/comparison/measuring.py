"""What a whole copy holds: fingerprints of its tables, and the counts that anomalies show in."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from adbc_driver_manager import Error as AdbcError

from neotoma_core.comparison.anomaly import Counts
from neotoma_core.comparison.fingerprints import Fingerprint, FingerprintSum
from neotoma_core.comparison.logs_in_common import read_sample
from neotoma_core.errors import BackupDamaged
from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.instants import instant_ms
from neotoma_core.sqlite.arrow import arrow_connection, batches, immutable_uri
from neotoma_core.sqlite.inspection import StoredTable
from neotoma_core.sqlite.opening import connect_read_only

_ROWS: Final = 4096


def fingerprint_tables(
    database: Path, tables: Iterable[StoredTable], original: Path
) -> dict[str, Fingerprint]:
    """Return the fingerprint of every table of a whole copy, by name.

    ``original`` is only named in messages. Raises BackupDamaged.
    """
    largest_first = sorted(tables, key=lambda table: -table.rows)
    with _sound(original), ThreadPoolExecutor(max_workers=2) as pool:
        found = pool.map(lambda table: _fingerprint(database, table), largest_first)
        return dict(sorted(zip((t.name for t in largest_first), found, strict=True)))


def count_contents(database: Path, tables: Mapping[str, StoredTable], original: Path) -> Counts:
    """Return what is counted of a whole copy; see ``fingerprint_tables``."""
    rows = {name: table.rows for name, table in sorted(tables.items())}
    counts = Counts(observations=rows.get("observations", 0), tables=rows)
    with _sound(original), closing(connect_read_only(database)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        types = (
            connection.execute(
                "SELECT CAST(entity_type AS TEXT), count(*) FROM entities NOT INDEXED "
                "GROUP BY 1 ORDER BY 1"
            ).fetchall()
            if "entity_type" in tables["entities"].columns
            else []
        )
        newest, tombstones, nulls = None, 0, 0
        if "observed_at" in tables["observations"].columns:
            newest, tombstones, nulls = connection.execute(
                "SELECT max(observed_at), count(CASE WHEN fields GLOB '*\"_deleted\":true*' "
                "THEN 1 END), count(CASE WHEN fields IS NULL OR fields = '{}' "
                "OR fields GLOB '*\":null[,}]*' THEN 1 END) FROM observations NOT INDEXED"
            ).fetchone()
    everything = max(1, counts.observations)
    return replace(
        counts,
        types={str(name): int(number) for name, number in types},
        newest=_moment(newest),
        tombstones=round(tombstones / everything, 4),
        nulls=round(nulls / everything, 4),
        sample=read_sample(database, original).ids,
    )


@contextmanager
def _sound(original: Path) -> Iterator[None]:
    """Turn what reading damaged pages raises into an error of ours, which holds no stored value."""
    try:
        yield
    except (AdbcError, sqlite3.DatabaseError) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            raise
        raise BackupDamaged(
            original,
            "damaged: SQLite cannot read all of its tables",
            "recover it from other copies with `midden recover`",
        ) from error


def _moment(text: object) -> datetime | None:
    milliseconds = instant_ms(text) if isinstance(text, str) else None
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _fingerprint(database: Path, table: StoredTable) -> Fingerprint:
    """Hash a table row by row: every cell as an SQL literal, columns in the order of their names.

    A literal says what storage class its cell has. SQLite's ``quote`` stops at a NUL within a text,
    so such a text is spelled by its bytes.
    """
    found = FingerprintSum()
    if not table.rows:
        return found.finish()
    spelled = " || ',' || ".join(map(_spell, sorted(table.columns)))
    query = f"SELECT CAST({spelled} AS BLOB) FROM {quote(table.name)} NOT INDEXED"
    with (
        arrow_connection(immutable_uri(database)) as connection,
        batches(connection, query, _ROWS) as reader,
    ):
        for batch in reader:
            found.add(batch.column(0).to_pylist())
    return found.finish()


def _spell(column: str) -> str:
    cell = quote(column)
    return (
        f"CASE WHEN instr({cell}, char(0)) THEN typeof({cell}) || hex({cell}) "
        f"ELSE quote({cell}) END"
    )
