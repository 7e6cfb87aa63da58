"""Invented archives of any size, made without a database: what several runs appended."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive_tables.committed import joined_links, links_of
from neotoma_core.archive_tables.tables import (
    create_archive,
    describe,
    lock_archive,
    make_folder,
    record_commits,
)
from neotoma_core.archive_tables.writing import add_committed, append, commit_number
from neotoma_core.ledger.file import read_ledger, record_erasure, record_finished
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.row_versions.columns import ARCHIVED_AT, BACKUP, ODD, REMOVED, ROW_HASH, SCHEMAS
from neotoma_core.row_versions.hashed_rows import hash_frame
from neotoma_core.vault.folder import open_vault
from tests.benchmarks.invented_databases import invent, relationships_of, schema_rows

RUNS: Final = 8
_CHUNK: Final = 100_000
_FIRST: Final = datetime(2026, 3, 1, tzinfo=UTC)
_ORIGIN: Final = "neotoma.db run"


def make_archive(vault: Path, versions: int) -> Path:
    """Make the vault of a database whose archive has so many versions of observations.

    One version in twenty moves an observation to another entity; one in a hundred says that an
    observation is gone; a relationship for every twentieth observation. Of every thousandth entity
    the ledger says that it was erased, up to a hundred of them.
    """
    open_vault(vault, vault.parent / "neotoma.db")
    place = vault / "archive"
    make_folder(place)
    per_run = versions // RUNS
    with lock_archive(place):
        archive = create_archive(place)
        describe(archive, invent(0, 32, versions)["id"].to_list())
        seen: list[pl.DataFrame] = []
        for run in range(RUNS):
            moment = _FIRST + timedelta(days=run)
            moved = per_run // 20 if run else 0
            first, last = run * per_run, (run + 1) * per_run - moved
            fresh = list(_observations(first, last, versions, moment))
            seen += [part.select("entity_id", "entity_type").unique() for part in fresh]
            before = (run - 1) * per_run
            again = [
                _move(part) for part in _observations(before, before + moved, versions, moment)
            ]
            _append(place, "observations", [*fresh, *again])
            _append(place, "relationship_observations", map(_edges, fresh))
            gone = before + moved
            if run:
                hashed = list(_observations(gone, gone + per_run // 100, versions, moment))
                _append(place, REMOVED, map(_removals, hashed))
        entities = pl.concat(seen).unique("entity_id", keep="first", maintain_order=True)
        last_moment = _FIRST + timedelta(days=RUNS - 1)
        _append(place, "entities", [_stamp("entities", _entity_rows(entities), 1, last_moment)])
        types = _stamp("schema_registry", schema_rows(), 1, last_moment)
        _append(place, "schema_registry", [types])
    _erase(vault, entities["entity_id"].gather_every(1000).head(100).to_list())
    return place


def _observations(first: int, last: int, total: int, moment: datetime) -> Iterator[pl.DataFrame]:
    for start in range(first, last, _CHUNK):
        rows = invent(start, min(_CHUNK, last - start), total)
        yield _stamp("observations", rows, start + 1, moment)


def _stamp(table: str, rows: pl.DataFrame, number: int, moment: datetime) -> pl.DataFrame:
    """Return rows as they are archived: whole, hashed, numbered from ``number`` on."""
    schema = SCHEMAS[table]
    missing = [
        pl.lit(None).cast(kind).alias(n) for n, kind in schema.items() if n not in rows.columns
    ]
    whole = rows.with_columns(missing).with_columns(
        pl.int_range(number, number + rows.height, dtype=pl.Int64).alias(ROWID),
        pl.lit(moment).cast(pl.Datetime("us", "UTC")).alias(ARCHIVED_AT),
        pl.lit(_ORIGIN).alias(BACKUP),
    )
    return _hash(table, whole)


def _hash(table: str, whole: pl.DataFrame) -> pl.DataFrame:
    schema = SCHEMAS[table]
    typed = whole.select(pl.col(name).cast(kind) for name, kind in schema.items())
    assert ODD in typed.columns
    return typed.with_columns(hash_frame(BY_NAME[table], typed).alias(ROW_HASH))


def _move(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows as they are once they belong to each other's entities."""
    return _hash("observations", rows.with_columns(pl.col("entity_id").reverse()))


def _edges(rows: pl.DataFrame) -> pl.DataFrame:
    first = rows[ROWID][0]
    moment = rows[ARCHIVED_AT][0]
    return _stamp("relationship_observations", relationships_of(rows), first // 20 + 1, moment)


def _removals(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        pl.lit("observations").alias("table"),
        pl.col("id").alias("key"),
        ROW_HASH,
        ARCHIVED_AT,
        BACKUP,
    )


def _entity_rows(entities: pl.DataFrame) -> pl.DataFrame:
    return entities.select(
        id="entity_id", entity_type="entity_type", canonical_name="entity_id"
    ).with_columns(created_at=pl.lit("2026-02-09T00:00:00.000Z"))


def _append(place: Path, table: str, parts: "Iterator[pl.DataFrame] | list[pl.DataFrame]") -> None:
    archive = create_archive(place)
    links = []

    def count() -> Iterator[pl.DataFrame]:
        for part in parts:
            links.append(links_of(part))
            yield part

    append(archive, table, count(), commit_number(archive, table))
    committed = add_committed(archive, table, joined_links(links))
    record_commits(archive, {table: committed})


def _erase(vault: Path, entities: list[str]) -> None:
    now = _FIRST + timedelta(days=RUNS)
    ledger = record_erasure(read_ledger(vault), "2026-03-09T00-00-00Z", now, {"entities": entities})
    record_finished(ledger, "2026-03-09T00-00-00Z", now)
