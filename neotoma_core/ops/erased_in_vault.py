"""Which erased ids a vault still holds, told by the ledger's hashes: it has no id in clear."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from adbc_driver_manager import Error as AdbcError

from neotoma_core.erasure.hashed import ErasedIds
from neotoma_core.erasure.reach import Ids
from neotoma_core.errors import BackupError, BackupNotIntact
from neotoma_core.ops.erasure_planning import read_held
from neotoma_core.ops.vault_backup import restore_database
from neotoma_core.store.backups import FOLDER, list_backups
from neotoma_core.store.databases import make_whole
from neotoma_core.store.sqlite_files import read_header
from neotoma_core.store.vault import EVIDENCE, RunFolders


def erased_in_vault(folders: RunFolders, erased: ErasedIds) -> Ids:
    """Return the erased ids in backups and in evidence, by kind; each database is read.

    What cannot be read tells none.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for whole in _databases(folders) if erased else ():
        with suppress(BackupError, sqlite3.DatabaseError, AdbcError):
            for kind, ids in erased.found_in(read_held(whole, whole, None).tables).items():
                found[kind] |= ids
    return {kind: frozenset(ids) for kind, ids in found.items()}


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
