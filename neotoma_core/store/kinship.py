"""What the logs of two whole copies have in common. Both are only read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from neotoma_core.ddl import quoted
from neotoma_core.identity import SAMPLE, Log, Sample, Shared
from neotoma_core.instants import instant_ms
from neotoma_core.store.databases import connect_read_only, damaged
from neotoma_core.store.guarding import attach
from neotoma_core.store.holdings import MADE_ONCE, RANDOM
from neotoma_core.store.inspection import StoredTable, inspect_database

_OBSERVATIONS: Final = "observations"
_MADE_AT: Final = "created_at"
ID_LENGTH: Final = 64  # of Neotoma's own ids, at most; what is longer is cut off


def read_log(whole: Path, original: Path) -> Log:
    """Return how much the log of a whole copy holds; ``original`` is only named in messages.

    Raises NotNeotoma, BackupDamaged.
    """
    with closing(connect_read_only(whole)) as connection:
        tables = {t.name: t for t in inspect_database(connection, original).tables}
        first = last = None
        if _MADE_AT in tables[_OBSERVATIONS].columns:
            with _sound(original):
                first, last = connection.execute(
                    f"SELECT min({_MADE_AT}), max({_MADE_AT}) FROM {_OBSERVATIONS}"
                ).fetchone()
    return Log(tables[_OBSERVATIONS].rows, _moment(first), _moment(last))


def shared_rows(held: Path, offered: Path, original: Path) -> Shared:
    """Return what two whole copies have in common; of what proves it, one row is looked for.

    Raises NotNeotoma, BackupDamaged.
    """
    with closing(connect_read_only(held)) as connection:
        ours = _tables(connection, original)
        with closing(connect_read_only(offered)) as other:
            theirs = _tables(other, original)
        with _sound(original):
            place = f"{offered.resolve().as_uri()}?mode=ro&immutable=1"
            attach(connection, "offered", place)
            if any(_made(connection, ours, theirs)):
                return Shared(1, 0)
            (stated,) = connection.execute(
                f"SELECT count(*) FROM main.{_OBSERVATIONS} WHERE id IN "
                f"(SELECT id FROM offered.{_OBSERVATIONS})"
            ).fetchone()
    return Shared(0, int(stated))


def read_sample(whole: Path, original: Path) -> Sample:
    """Return the first ids of the log of a whole copy; raises BackupDamaged."""
    with closing(connect_read_only(whole)) as connection, _sound(original):
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        ids = connection.execute(
            f"SELECT substr(id, 1, {ID_LENGTH}) FROM {_OBSERVATIONS} "
            f"WHERE typeof(id) = 'text' ORDER BY id LIMIT {SAMPLE}"
        ).fetchall()
        (rows,) = connection.execute(f"SELECT count(*) FROM {_OBSERVATIONS}").fetchone()
    return Sample(tuple(sorted(str(identifier) for (identifier,) in ids)), int(rows))


def _tables(connection: sqlite3.Connection, original: Path) -> dict[str, StoredTable]:
    return {t.name: t for t in inspect_database(connection, original).tables}


def _made(
    connection: sqlite3.Connection, ours: dict[str, StoredTable], theirs: dict[str, StoredTable]
) -> Iterator[bool]:
    """Yield, table by table, whether both have a row that only one database can have made."""
    for name in (*RANDOM, *MADE_ONCE):
        needed = {"id", *((_MADE_AT,) if name in MADE_ONCE else ())}
        if all(name in side and needed <= set(side[name].columns) for side in (ours, theirs)):
            at = f" AND o.{_MADE_AT} = h.{_MADE_AT}" if name in MADE_ONCE else ""
            query = (
                f"SELECT 1 FROM main.{quoted(name)} h JOIN offered.{quoted(name)} o "
                f"ON o.id = h.id{at} LIMIT 1"
            )
            yield connection.execute(query).fetchone() is not None


@contextmanager
def _sound(original: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise damaged(original, str(error)) from error


def _moment(cell: object) -> int | None:
    return instant_ms(cell) if isinstance(cell, str) else None
