"""Payloads and what observations say of them, streamed from a whole copy.

What is in memory at any time is one payload's observations, and no more of them than a payload
that is read could have.
"""

import functools
import itertools
import operator
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from neotoma_core.comparison.holdings import read_columns
from neotoma_core.neotoma.ddl import quote
from neotoma_core.sqlite.inspection import StoredTable
from neotoma_core.sqlite.opening import connect_read_only, damage_of
from neotoma_core.unfinished.payload_files import MOST_BYTES
from neotoma_core.unfinished.payloads import METHODS

_MOST_STATED: Final = 4 * MOST_BYTES  # of one payload's observations
_ROW_BYTES: Final = 200
_STATED: Final = 6  # the first column of a row that is of an observation


class Statement(NamedTuple):
    """One observation of a payload; ``fields`` is None where it is not text, or too long.

    A tuple, as is ``PayloadRow``: a million of them are made in half the time.
    """

    entity_type: str | None
    created_at: str | None
    fields: str | None


class PayloadRow(NamedTuple):
    """One payload: its source, and its observations in the order they were written.

    ``digest``: the SHA-256 of its bytes; ``name``: its raw file, below the raw folder. Where there
    are more observations than a payload could have, the last of them stands for the rest and has
    no ``fields``.
    """

    source: str
    user: str | None
    digest: str
    name: str
    created_at: str | None
    statements: tuple[Statement, ...]


class StoredPayloads:
    """The payloads of one database; open while in the block of ``read_payloads``."""

    def __init__(self, connection: sqlite3.Connection, tables: Mapping[str, StoredTable]) -> None:
        self._connection: Final = connection
        self._tables: Final = tables

    def __iter__(self) -> Iterator[PayloadRow]:
        """Yield every payload, the newest row first."""
        if not self._has("sources", "observations"):
            return
        rows = self._connection.execute(self._query())
        for _, group in itertools.groupby(rows, key=operator.itemgetter(0)):
            yield _payload(group)

    def find_interpreted(self) -> list[tuple[str | None, str, int]]:
        """Return (user id, created at, row number) of every observation of an interpretation."""
        if not self._has("observations"):
            return []
        stored = self._tables["observations"]
        needed = ("interpretation_id", "created_at", "user_id")
        if not set(needed) <= set(stored.columns):
            return []
        return self._connection.execute(
            f"SELECT {_text('user_id')}, created_at, {stored.facts.rowid} FROM observations "
            "WHERE interpretation_id IS NOT NULL AND typeof(created_at) = 'text'"
        ).fetchall()

    def fields_of(self, places: Sequence[int]) -> list[str | None]:
        """Return the fields of observations by their row numbers, in that order."""
        stored = self._tables["observations"]
        query = f"SELECT {_fields(stored)} FROM observations o WHERE {stored.facts.rowid} = ?"
        found = [self._connection.execute(query, (place,)).fetchone() for place in places]
        return [fields for (fields,) in found]

    def _has(self, *names: str) -> bool:
        return all(name in self._tables and not self._tables[name].barred for name in names)

    def _query(self) -> str:
        """Return the query of payloads with their observations, or one row of NULLs instead.

        Observations are found by their source through row numbers alone: no index of Neotoma's
        helps, and one that SQLite makes for the query would hold all their fields.
        """
        sources, observations = self._tables["sources"], self._tables["observations"]
        number, place = sources.facts.rowid, observations.facts.rowid
        provenance = _cell(sources, "s", "provenance")
        methods = ", ".join(f"'{method}'" for method in METHODS)
        told = ", ".join(
            _text(_cell(sources, "s", name))
            for name in ("user_id", "content_hash", "storage_url", "created_at")
        )
        stated = ", ".join(
            _text(_cell(observations, "o", name)) for name in ("entity_type", "created_at")
        )
        return (
            "WITH stated AS MATERIALIZED (SELECT "
            f"{_cell(observations, 'n', 'source_id')} AS source, n.{place} AS place "
            "FROM observations n WHERE source IS NOT NULL) "
            f"SELECT s.{number}, s.id, {told}, t.place, {stated}, {_fields(observations)} "
            "FROM sources s LEFT JOIN stated t ON t.source = s.id "
            f"LEFT JOIN observations o ON o.{place} = t.place "
            f"WHERE typeof(s.id) = 'text' AND CASE WHEN json_valid({_text(provenance)}) "
            f"THEN json_extract({provenance}, '$.upload_method') END IN ({methods}) "
            f"ORDER BY s.{number} DESC"
        )


@contextmanager
def read_payloads(
    whole: Path, original: Path, tables: Mapping[str, StoredTable]
) -> Iterator[StoredPayloads]:
    """Read the payloads of a whole copy; ``original`` is only named in messages.

    Raises BackupDamaged where SQLite cannot read them.
    """
    with closing(connect_read_only(whole)) as connection:
        connection.text_factory = functools.partial(str, encoding="utf-8", errors="replace")
        try:
            yield StoredPayloads(connection, tables)
        except sqlite3.DatabaseError as error:
            raise damage_of(original, str(error)) from error


@dataclass(frozen=True, slots=True)
class EntityColumns:
    """What tells hollow entities from others: see ``hollow_entities``."""

    entities: pl.DataFrame
    observed: pl.Series
    merged: pl.Series
    split: pl.Series


def read_entity_columns(
    whole: Path, original: Path, tables: Mapping[str, StoredTable]
) -> EntityColumns:
    """Read the ids of entities, and where else they occur; raises BackupUnreadable."""

    def column(table: str, name: str) -> pl.Series:
        stored = tables.get(table)
        if stored is None or stored.barred:
            return pl.Series(name, dtype=pl.String)
        return read_columns(whole, stored, (name,), original)[name].drop_nulls().unique()

    wanted = ("id", "created_at", "merged_to_entity_id")
    return EntityColumns(
        read_columns(whole, tables["entities"], wanted, original),
        column("observations", "entity_id"),
        column("entity_merges", "from_entity_id"),
        column("entity_splits", "new_entity_id"),
    )


def _payload(rows: Iterator[tuple[Any, ...]]) -> PayloadRow:
    """Return a payload from its rows: one per observation, or one without any."""
    first = next(rows)
    placed: list[tuple[int, Statement]] = []
    size = 0
    for row in itertools.chain((first,), rows):
        place, kind, created_at, fields = row[_STATED:]
        if place is None:
            break
        size += len(fields or "") + _ROW_BYTES
        if size > _MOST_STATED:
            placed.append((place, Statement(None, created_at, None)))
            break
        placed.append((place, Statement(kind, created_at, fields)))
    placed.sort(key=operator.itemgetter(0))
    source, user, digest, name, created_at = first[1:_STATED]
    statements = tuple(statement for _, statement in placed)
    return PayloadRow(source, user, digest or "", name or "", created_at, statements)


def _cell(stored: StoredTable, alias: str, name: str) -> str:
    return f"{alias}.{quote(name)}" if name in stored.columns else "NULL"


def _text(cell: str) -> str:
    return f"CASE typeof({cell}) WHEN 'text' THEN {cell} END"


def _fields(observations: StoredTable) -> str:
    cell = _cell(observations, "o", "fields")
    return (
        f"CASE WHEN typeof({cell}) = 'text' AND length(CAST({cell} AS BLOB)) <= {MOST_BYTES} "
        f"THEN {cell} END"
    )
