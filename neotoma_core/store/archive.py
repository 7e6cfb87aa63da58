"""The archive: a folder of Delta tables, and ``archive.json`` that says what it is.

::

    archive.json      format version; the database it is of, by ids of its observations
    lock              held by the run that appends or compacts
    <table>/          a Delta table: ``_delta_log/`` and Parquet files (see ``archive/columns.py``)
    pins.json         which versions of its tables are kept, by name
    .known/           notes that make the next run quicker; nobody's (``store/known_hashes.py``)
    removed_rows/     a Delta table: versions of rows that are gone from the database

Invariant: a file is never changed, and what no commit of a table names does not exist. Order of
an append: files written → commit names them → both forced to the disk. One commit per table and
run, so a run that was killed leaves whole tables old or new; the next one adds what is missing.
"""

import weakref
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, DeltaProtocolError, TableNotFoundError

from neotoma_core.archive.columns import FORMAT, SCHEMAS
from neotoma_core.canonical import JsonValue
from neotoma_core.errors import (
    ArchiveBusy,
    ArchiveDamaged,
    ArchiveError,
    NativePanic,
    VaultDamaged,
    without_panic,
)
from neotoma_core.store.exact_paths import table_to_read
from neotoma_core.store.locking import exclusive
from neotoma_core.store.private_files import keep_private, make_private
from neotoma_core.store.vault import read_json, write_json

ARCHIVE_FOLDER: Final = "archive"  # of a vault
DESCRIPTION: Final = "archive.json"
LOCK: Final = "lock"
_KIND: Final = "midden archive"
_TABLE_FORMAT: Final = "midden archive format "
_READER_VERSION: Final = 1
_SHOWN_IDS: Final = 32


@dataclass(frozen=True, slots=True)
class Archive:
    """One archive. ``ids``: of some observations of the database it is of; none at first."""

    path: Path
    ids: tuple[str, ...] = ()

    def has(self, table: str) -> bool:
        """Return whether the archive has a table, be it empty."""
        return (self.path / table / "_delta_log").is_dir()

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that are there, those of removed rows last."""
        return tuple(name for name in SCHEMAS if self.has(name))


def is_archive(path: Path) -> bool:
    """Return whether ``path`` is a folder that says it is an archive."""
    return (path / DESCRIPTION).is_file()


def open_archive(path: Path) -> Archive:
    """Return the archive in a folder; raises ArchiveError for what is none that can be read."""
    if not is_archive(path):
        wrong = "no archive (it has no archive.json)"
        if not path.is_dir():
            wrong = "there is no such folder"
        raise ArchiveError(path, wrong, "name the folder that `midden archive` wrote")
    try:
        described = read_json(path / DESCRIPTION)
    except VaultDamaged:
        described = None
    if not isinstance(described, dict) or described.get("kind") != _KIND:
        raise ArchiveDamaged(path, "its archive.json cannot be read", "restore it from a copy")
    if described.get("format") != FORMAT:
        raise ArchiveError(path, "made by a newer midden", "update midden")
    ids = described.get("observations")
    return Archive(path, tuple(map(str, ids)) if isinstance(ids, list) else ())


def make_folder(path: Path) -> None:
    """Make the folder of an archive, where it is not there.

    Raises ArchiveError where it cannot be made, or holds anything but an archive.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        others = [p.name for p in path.iterdir() if p.name != LOCK and p.name[0] != "."]
    except OSError as error:
        wrong = (error.strerror or "cannot be created").lower()
        raise ArchiveError(path, wrong, "choose another folder") from error
    # Looked for after the others: it comes first in an archive that another run is beginning.
    if others and not is_archive(path):
        raise ArchiveError(path, "the folder holds other files", "choose an empty folder")


def create_archive(path: Path) -> Archive:
    """Return the archive in a folder that is ``locked``, making one where there is none."""
    if not is_archive(path):
        write_json(path / DESCRIPTION, {"kind": _KIND, "format": FORMAT, "observations": []})
    return open_archive(path)


def describe(archive: Archive, ids: Iterable[str]) -> None:
    """Write down by which observations the archive knows its database."""
    known = sorted(set(ids))[:_SHOWN_IDS]
    content: dict[str, JsonValue] = {"kind": _KIND, "format": FORMAT, "observations": list(known)}
    write_json(archive.path / DESCRIPTION, content)


@contextmanager
def locked(path: Path, patience: float = 0.0) -> Iterator[None]:
    """Keep others from writing to the archive in a folder; wait ``patience`` seconds for them.

    Raises ArchiveBusy, ArchiveError.
    """
    with ExitStack() as held:
        try:
            held.enter_context(exclusive(path / LOCK, patience, lambda: ArchiveBusy(path)))
        except OSError as error:
            wrong = (error.strerror or "cannot be written to").lower()
            raise ArchiveError(path, wrong, "change its permissions") from error
        keep_private()
        make_private(path)
        yield


def open_table(archive: Archive, table: str, at: Path | None = None) -> DeltaTable:
    """Return one table as it is now; ``at``: where Delta is to write to it (``table_to_change``).

    Raises ArchiveError where a later format wrote it, ArchiveDamaged where its log is unreadable.
    """
    place = archive.path / table
    try:
        opened = without_panic(str(place), lambda: _opened(at) if at else _loaded(place))
        protocol = opened.protocol()
        description = opened.metadata().description or ""
    except DeltaProtocolError as error:
        raise ArchiveError(place, "a later format wrote this table", "update midden") from error
    except TableNotFoundError as error:
        raise ArchiveDamaged(place, "its log is missing", "restore it from a copy") from error
    except (DeltaError, OSError, ValueError, NativePanic) as error:
        raise ArchiveDamaged(place, "its log cannot be read", "restore it from a copy") from error
    if protocol.min_reader_version > _READER_VERSION or description != table_description():
        raise ArchiveError(place, "a later format wrote this table", "update midden")
    return opened


def _loaded(place: Path) -> DeltaTable:
    """Return a table, with what Delta may still read of it for as long as it is used."""
    with ExitStack() as used:
        opened = _opened(used.enter_context(table_to_read(place)))
        weakref.finalize(opened, used.pop_all().close)
        return opened


def _opened(at: Path) -> DeltaTable:
    return DeltaTable(str(at))


def table_description() -> str:
    """Return what a table of today's format says of itself."""
    return f"{_TABLE_FORMAT}{FORMAT}"
