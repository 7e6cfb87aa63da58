"""Which erased ids a vault still holds, found by the ledger's hashes: it holds no plain id."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from adbc_driver_manager import Error as AdbcError

from neotoma_core.archive_mirror.mirror import list_mirrors
from neotoma_core.archive_tables.tables import is_archive
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import Ids, NamedRows, read_all
from neotoma_core.erasure.held.copy import read_held
from neotoma_core.erasure.named_cells import (
    is_export,
    read_named_in_archive,
    read_named_in_export,
    read_named_in_quarantine,
    read_named_in_reports,
    words_of_reports,
)
from neotoma_core.errors import BackupError, BackupNotIntact
from neotoma_core.files.headers import read_header
from neotoma_core.sqlite.opening import make_whole
from neotoma_core.vault.backups import FOLDER, list_backups
from neotoma_core.vault.folder import EVIDENCE, QUARANTINE, REPORTS, RunFolders, read_known_places
from neotoma_core.vault.stored_backup import restore_database


def find_erased_in_vault(folders: RunFolders, erased: ErasedIds) -> Ids:
    """Return the erased ids in what a vault holds and knows of, by kind.

    That is its backups, its evidence, archives, exports, quarantined rows and reports; each is
    read. What cannot be read tells none.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for kind, named in erased.find_in(_read_named(folders) if erased else ()).items():
        found[kind] |= named
    for words in words_of_reports(folders.vault / REPORTS) if erased else ():
        for kind in erased.kinds:
            found[kind].update(erased.among(kind, words))
    return {kind: frozenset(ids) for kind, ids in found.items() if ids}


def _read_named(folders: RunFolders) -> Iterator[NamedRows]:
    """Yield what is named anywhere, a table or a part of one at a time."""
    for whole in _databases(folders):
        with suppress(BackupError, sqlite3.DatabaseError, AdbcError):
            yield from read_all(read_held(whole, whole, None).tables)
    kept = (*sorted(folders.vault.iterdir()), *list_mirrors(folders.vault))
    for place in (*kept, *read_known_places(folders.vault)):
        if is_archive(place):
            yield from read_named_in_archive(place)
        elif is_export(place):
            yield from read_named_in_export(place)
    yield from read_named_in_quarantine(folders.vault / QUARANTINE)
    yield from read_named_in_reports(folders.vault / REPORTS)


def _databases(folders: RunFolders) -> Iterator[Path]:
    """Yield each database of the vault, restored into the scratch, one at a time."""
    for backup in list_backups(folders.vault).backups:
        with TemporaryDirectory(dir=folders.work) as scratch, suppress(BackupNotIntact):
            whole = Path(scratch) / "whole.db"
            restore_database(folders.vault / FOLDER / backup.name, backup, whole)
            yield whole
    for copy in sorted((folders.vault / EVIDENCE).rglob("*")):
        if folders.evidence in copy.parents or not copy.is_file() or read_header(copy) is None:
            continue
        with TemporaryDirectory(dir=folders.work) as scratch, suppress(BackupError):
            yield make_whole(copy, copy, Path(scratch))
