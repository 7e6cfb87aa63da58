"""Which evidence of a vault still holds rows of what is erased, and whether its archive does."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import polars as pl

from neotoma_core.archive.columns import SCHEMAS
from neotoma_core.canonical import JsonValue
from neotoma_core.erasure.naming import naming_columns
from neotoma_core.erasure.reach import Ids
from neotoma_core.errors import MiddenError
from neotoma_core.report.erasure import HoldingEvidence
from neotoma_core.store import vault
from neotoma_core.store.archive import ARCHIVE_FOLDER, Archive, is_archive, open_archive
from neotoma_core.store.archive_reading import read_table
from neotoma_core.store.databases import connect_read_only, make_whole
from neotoma_core.store.inspection import list_tables
from neotoma_core.store.picked_rows import holds_any


def find_holding(vault_folder: Path, ids: Ids, scratch: Path) -> Iterator[HoldingEvidence]:
    """Yield the evidence folders with copies in which any of ``ids`` is named, oldest first.

    Then the archive, where that has a row of them, also one of long ago. A copy that cannot be
    read is taken to hold them: nobody can tell that it does not.
    """
    for manifest in sorted((vault_folder / "evidence").glob("*/manifest.json")):
        holding = sum(
            _holds(copy, ids, scratch / manifest.parent.name / copy.parent.name)
            for copy in _copies(manifest)
        )
        if holding:
            yield HoldingEvidence(str(manifest.parent), holding)
    archive = vault_folder / ARCHIVE_FOLDER
    if is_archive(archive) and _archive_holds(archive, ids):
        yield HoldingEvidence(str(archive), 1)


def _archive_holds(place: Path, ids: Ids) -> bool:
    try:
        archive = open_archive(place)
        return any(
            _named(archive, table, column).is_in(sorted(ids[kind])).any()
            for table in archive.tables
            for column, kind in naming_columns(table, tuple(SCHEMAS[table])).items()
            if kind in ids
        )
    except MiddenError:
        return True


def _named(archive: Archive, table: str, column: str) -> pl.Series:
    return read_table(archive, table, (column,)).require_whole()[column]


def _copies(manifest: Path) -> Iterator[Path]:
    described = vault.read_json(manifest)
    databases = described.get("databases") if isinstance(described, dict) else None
    for database in databases if isinstance(databases, list) else []:
        if isinstance(database, dict):
            yield from _database_file(manifest.parent / str(database.get("label")), database)


def _database_file(folder: Path, described: Mapping[str, JsonValue]) -> Iterator[Path]:
    name = folder / Path(str(described.get("path"))).name
    if name.is_file():
        yield name


def _holds(copy: Path, ids: Ids, scratch: Path) -> bool:
    try:
        whole = make_whole(copy, copy, scratch)
        with closing(connect_read_only(whole)) as connection:
            stored = list_tables(connection, copy)
        return any(
            holds_any(whole, table.name, column, ids[kind])
            for table in stored
            for column, kind in naming_columns(table.name, table.columns).items()
            if kind in ids
        )
    except (MiddenError, sqlite3.DatabaseError):
        return True
