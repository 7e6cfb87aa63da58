"""What the logs of two whole copies have in common. Both are only read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from neotoma_core.comparison.holdings import MADE_ONCE, RANDOM
from neotoma_core.comparison.identity import SAMPLE, Log, Sample, Shared
from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.instants import instant_ms
from neotoma_core.sqlite.inspection import StoredTable, inspect_database
from neotoma_core.sqlite.opening import connect_read_only, damage_of
from neotoma_core.sqlite.untrusted import attach

_OBSERVATIONS: Final = "observations"
_MADE_AT: Final = "created_at"
ID_LENGTH: Final = 64  # of Neotoma's own ids, at most; what is longer is cut off


@dataclass(frozen=True, slots=True)
class WholeCopy:
    """A whole copy of a database. ``original``: what it is a copy of, only named in messages."""

    path: Path
    original: Path


class Copies:
    """What whole copies hold: each is read once, and each two compared once, by whoever holds this.

    All raise NotNeotoma, BackupDamaged.
    """

    def __init__(self) -> None:
        self._tables = cache(_tables)
        self.log = cache(self._log)
        self.sample = cache(self._sample)
        self.shared = cache(self._compare)

    def _log(self, copy: WholeCopy) -> Log:
        """Return how much the log of a copy holds."""
        observations = self._tables(copy)[_OBSERVATIONS]
        first = last = None
        if _MADE_AT in observations.columns:
            with closing(connect_read_only(copy.path)) as connection, _sound(copy.original):
                first, last = connection.execute(
                    f"SELECT min({_MADE_AT}), max({_MADE_AT}) FROM {_OBSERVATIONS}"
                ).fetchone()
        return Log(observations.rows, _moment(first), _moment(last))

    def _sample(self, copy: WholeCopy) -> Sample:
        """Return the first ids of the log of a copy."""
        return read_sample(copy.path, copy.original)

    def _compare(self, held: WholeCopy, offered: WholeCopy) -> Shared:
        """Return what two copies have in common; of what proves it, one row is looked for."""
        ours, theirs = self._tables(held), self._tables(offered)
        with closing(connect_read_only(held.path)) as connection, _sound(offered.original):
            place = f"{offered.path.resolve().as_uri()}?mode=ro&immutable=1"
            attach(connection, "offered", place)
            if any(_find_made(connection, ours, theirs)):
                return Shared(1, 0)
            (stated,) = connection.execute(
                f"SELECT count(*) FROM main.{_OBSERVATIONS} WHERE id IN "
                f"(SELECT id FROM offered.{_OBSERVATIONS})"
            ).fetchone()
        return Shared(0, int(stated))


def read_log(whole: Path, original: Path) -> Log:
    """Return how much the log of one whole copy holds; raises NotNeotoma, BackupDamaged."""
    return Copies().log(WholeCopy(whole, original))


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


def _tables(copy: WholeCopy) -> dict[str, StoredTable]:
    with closing(connect_read_only(copy.path)) as connection:
        return {t.name: t for t in inspect_database(connection, copy.original).tables}


def _find_made(
    connection: sqlite3.Connection, ours: dict[str, StoredTable], theirs: dict[str, StoredTable]
) -> Iterator[bool]:
    """Yield, table by table, whether both have a row that only one database can have made."""
    for name in (*RANDOM, *MADE_ONCE):
        needed = {"id", *((_MADE_AT,) if name in MADE_ONCE else ())}
        if all(name in side and needed <= set(side[name].columns) for side in (ours, theirs)):
            at = f" AND o.{_MADE_AT} = h.{_MADE_AT}" if name in MADE_ONCE else ""
            query = (
                f"SELECT 1 FROM main.{quote(name)} h JOIN offered.{quote(name)} o "
                f"ON o.id = h.id{at} LIMIT 1"
            )
            yield connection.execute(query).fetchone() is not None


@contextmanager
def _sound(original: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise damage_of(original, str(error)) from error


def _moment(cell: object) -> int | None:
    return instant_ms(cell) if isinstance(cell, str) else None
