"""Files in the tables of an archive that no commit names."""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import orjson
import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from neotoma_core.archive_tables.reading import DamagedFile, files_of, list_table, read_table
from neotoma_core.archive_tables.record import Record
from neotoma_core.archive_tables.rewriting import read_pins
from neotoma_core.archive_tables.strays import Stray, is_temporary, judge_stray
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.errors import NativePanic, without_panic
from neotoma_core.files.atomic import announce
from neotoma_core.files.exact_paths import read_parquet, table_to_read
from neotoma_core.row_versions.columns import ARCHIVED_AT, ROW_HASH, SCHEMAS

STEPS: Final = ("leftover_removed",)
_LOG: Final = "_delta_log"
_IN_LOG: Final = re.compile(r"\d{20}\.(json|crc|checkpoint\..*parquet)|_last_checkpoint|_sidecars")
_PAIR: Final = (ROW_HASH, ARCHIVED_AT)
_ACTIONS: Final = ("add", "remove")
_NEVER: Final = -1
_ALWAYS: Final = 2**63 - 1
_LACKED: Final = "no commit names this file, and it has rows that the table lacks"


def strays_of(archive: Archive, table: str, record: Record | None) -> tuple[Stray, ...]:
    """Return the Parquet files of a table that no commit names, by name, and what each is.

    ``record``: what had been committed when they may have been left.
    """
    unnamed = _find_unnamed(archive, table)
    if not unnamed:
        return ()
    there = read_table(archive, table, _PAIR).rows
    known = record.tables.get(table) if record else None
    until = known.until if known else _NEVER if record else _ALWAYS
    return tuple(judge_stray(path, _pairs(path), there, until) for path in unnamed)


def find_lost(archive: Archive) -> list[DamagedFile]:
    """Return the unnamed files that hold rows their table lacks, as after a commit was lost."""
    return [
        DamagedFile(stray.path, _LACKED)
        for table in SCHEMAS
        for stray in strays_of(archive, table, None)
        if stray.lacking
    ]


def strange_entries(archive: Archive) -> Iterator[DamagedFile]:
    """Yield what lies in the folders of an archive and belongs to no table of it."""
    for path in _list_folder(archive.path):
        if path.name not in SCHEMAS and (path / _LOG).is_dir():
            yield DamagedFile(path, "a table that does not belong to the archive")
    for table in SCHEMAS:
        for path in _list_folder(archive.path / table):
            if path.name != _LOG and path.suffix != ".parquet" and not is_temporary(path.name):
                yield DamagedFile(path, "not a file of the archive")
        for path in _list_folder(archive.path / table / _LOG):
            if not _IN_LOG.fullmatch(path.name) and not is_temporary(path.name):
                yield DamagedFile(path, "not an entry of the table's log")


def leftovers(archive: Archive) -> tuple[Path, ...]:
    """Return what killed runs may have left, by name alone: nothing of it is read."""
    unnamed = (path for table in SCHEMAS for path in _find_unnamed(archive, table))
    return (*unnamed, *_temporary(archive))


def remove_leftovers(archive: Archive, record: Record | None) -> tuple[Path, ...]:
    """Remove what killed runs left in an archive that is locked; return what has to stay.

    ``record``: what had been committed before this run. A file with rows that are nowhere else in
    its table stays, and so does one that no run of midden wrote.
    """
    staying = []
    for table in SCHEMAS:
        for stray in strays_of(archive, table, record):
            if stray.is_needless:
                stray.path.unlink()
                announce("leftover_removed")
            else:
                staying.append(stray.path)
    for path in _temporary(archive):
        path.unlink(missing_ok=True)
    return tuple(staying)


def _find_unnamed(archive: Archive, table: str) -> list[Path]:
    found = [path for path in _list_folder(archive.path / table) if path.suffix == ".parquet"]
    current = {file.path.name for file in list_table(archive, table).files}
    if all(path.name in current for path in found):
        return []
    named = current | _ever_named(archive.path / table / _LOG) | _list_pinned(archive, table)
    return sorted(path for path in found if path.name not in named)


def _ever_named(log: Path) -> set[str]:
    """Return the files that an entry of a log adds or drops: readers may still be at the latter."""
    named = set()
    for entry in log.glob("[0-9]*.json"):
        for line in entry.read_bytes().splitlines():
            with suppress(orjson.JSONDecodeError):
                action = orjson.loads(line)
                acted = (action.get(kind) for kind in _ACTIONS) if isinstance(action, dict) else ()
                named |= {unquote(str(one.get("path"))) for one in acted if isinstance(one, dict)}
    return named


def _list_pinned(archive: Archive, table: str) -> set[str]:
    """Return the files of pinned versions; all there are, where one of them cannot be opened."""
    place = archive.path / table
    named: set[str] = set()
    for version in {pin[table] for pin in read_pins(archive).values() if table in pin}:
        try:
            with table_to_read(place) as at:
                opened = without_panic(str(place), partial(DeltaTable, str(at), version=version))
                named |= {file.path.name for file in files_of(opened, place)}
        except (DeltaError, NativePanic):
            return {path.name for path in _list_folder(place)}
    return named


def _pairs(path: Path) -> pl.DataFrame | None:
    """Return (_row_hash, _archived_at) of a file; None where it cannot be read."""
    types = pl.Schema({ROW_HASH: pl.String(), ARCHIVED_AT: pl.Datetime("us", "UTC")})
    if path.is_symlink() or not path.is_file():
        return None
    if not path.stat().st_size:
        return pl.DataFrame(schema=types)
    try:
        rows = without_panic(str(path), lambda: read_parquet(path, columns=list(types)))
        return rows.cast(types)
    except (pl.exceptions.PolarsError, OSError, ValueError, NativePanic):
        return None


def _temporary(archive: Archive) -> list[Path]:
    """Return the files that have a name which is only used until they are whole."""
    folders = [archive.path / table / below for table in SCHEMAS for below in ("", _LOG)]
    return [
        *archive.path.glob(".*.midden.tmp"),
        *archive.path.glob(".known/.*.tmp"),
        *(path for folder in folders for path in folder.glob(".*.midden.tmp")),
        *(path for folder in folders for path in _list_folder(folder) if is_temporary(path.name)),
    ]


def _list_folder(folder: Path) -> list[Path]:
    """Return what is in a folder, less what is hidden; nothing of one that is not there."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    return []
