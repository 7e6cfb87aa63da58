"""The rows of a database, as an archive compares them with what stands in it.

Where the archive has what it had when a table was archived last, only the rows are read that
changed since: what else the table has stands in the archive.
"""

import hashlib
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.archive_tables.reading import list_table, read_files
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.documents.document import document
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import Table
from neotoma_core.row_versions.columns import REMOVED, ROW_HASH, key_of
from neotoma_core.row_versions.hashed_rows import hash_keys, hash_rows
from neotoma_core.row_versions.known_rows import Changes, KnownRows
from neotoma_core.row_versions.record_hashes import record_hashes
from neotoma_core.row_versions.row_hash import tell_apart
from neotoma_core.runs.private_copy import PrivateCopy
from neotoma_core.sqlite.arrow import translate_errors
from neotoma_core.sqlite.inspection import StoredTable
from neotoma_core.sqlite.opening import connect_read_only

_HASHED_AS: Final = 1  # raised where the same row has another lasting hash than before


@dataclass(frozen=True, slots=True)
class HeldRows:
    """The rows of one table of a database: all of them, or those that changed.

    ``rows``: how many it has. ``hashes``: (_rowid, key, _row_hash), every hash a row's own.
    ``gone``: (key, _row_hash) of the versions in the archive that these take the place of, or that
    are gone; None where ``hashes`` are of all rows. ``kept``: how many rows stand as they are.
    """

    rows: int
    hashes: pl.DataFrame
    gone: pl.DataFrame | None = None
    kept: int = 0


def state_of(archive: Archive, table: str) -> str:
    """Return what tells whether a table of an archive stands as before: hex digits."""
    states = [archive.commit_of(name) for name in (table, REMOVED)]
    told = [[s.id, s.rows, s.until, s.digest] if s else None for s in states]
    return hashlib.sha256(document(told)).hexdigest()


def all_rows(copy: PrivateCopy, table: Table, known: KnownRows) -> HeldRows:
    """Return all rows of a table, and note them; raises BackupUnreadable."""
    known.leave_out(table.name)
    stored = copy.stored.get(table.name)
    key = key_of(table.name)
    if stored is None or stored.barred:
        schema = {ROWID: pl.Int64, key: pl.String, ROW_HASH: pl.String}
        return HeldRows(0, pl.DataFrame(schema=schema))
    with translate_errors(copy.original, table.name):
        read = hash_keys(copy.whole, stored.known, stored.columns)
    hashes = tell_apart(read)
    marks = record_hashes(copy.whole, table.name, known.seeds)
    if hashes is read and marks is not None and marks.height == stored.rows == read.height:
        noted = known.noted_rows(marks.join(read, on=ROWID), key)
        if noted is not None and noted.height == read.height:
            known.note(table.name, _hash_declaration(copy, stored), noted)
    return HeldRows(hashes.height, hashes)


def changed_rows(
    copy: PrivateCopy, table: Table, archive: Archive, known: KnownRows
) -> HeldRows | None:
    """Return what changed of a table since it was archived, and note it.

    None where only all of its rows show that. Raises BackupUnreadable.
    """
    stored = copy.stored.get(table.name)
    if stored is None or stored.barred:
        return None
    declared = _hash_declaration(copy, stored)
    marks = record_hashes(copy.whole, table.name, known.seeds)
    if marks is None or marks.height != stored.rows:
        return None
    changes = known.changes(table.name, declared, marks)
    if changes is None:
        return None
    hashes = _fresh(copy, stored, changes)
    gone = _find_gone(archive, table.name, changes.gone)
    noted = known.noted_rows(changes.fresh.join(hashes, on=ROWID), key_of(table.name))
    joined = None if noted is None else known.join_fresh(changes, noted)
    if gone is None or joined is None or joined.height != stored.rows:
        return None
    if changes.fresh.height or len(changes.gone):
        known.note(table.name, declared, joined)
    return HeldRows(stored.rows, hashes, gone, changes.kept.height)


def _fresh(copy: PrivateCopy, stored: StoredTable, changes: Changes) -> pl.DataFrame:
    """Return (_rowid, key, _row_hash) of the rows that changed."""
    table = stored.known
    key = key_of(table.name)
    schema = {ROWID: pl.Int64, key: pl.String, ROW_HASH: pl.String}
    with translate_errors(copy.original, table.name):
        parts = hash_rows(copy.whole, table, stored.columns, changes.fresh[ROWID])
        return pl.concat([pl.DataFrame(schema=schema), *(part.select(*schema) for part in parts)])


def _find_gone(archive: Archive, table: str, hashes: pl.Series) -> pl.DataFrame | None:
    """Return (key, _row_hash) of versions by their hashes; None where the archive lacks one."""
    key = key_of(table)
    found = [pl.DataFrame(schema={key: pl.String, ROW_HASH: pl.String})]
    if len(hashes):
        for _, part in read_files(table, list_table(archive, table).files, (key, ROW_HASH)):
            if not isinstance(part, pl.DataFrame):
                return None
            found.append(part.filter(pl.col(ROW_HASH).is_in(hashes.implode())))
    gone = pl.concat(found).unique()
    return gone if gone.height == len(hashes) else None


def _hash_declaration(copy: PrivateCopy, stored: StoredTable) -> str:
    """Return what tells whether the records of a table mean what they did: hex digits."""
    digest = hashlib.sha256()
    with closing(connect_read_only(copy.whole)) as connection:
        connection.text_factory = bytes
        query = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?"
        for one in (query, "PRAGMA encoding"):
            values = [stored.name] if one == query else []
            digest.update(repr(connection.execute(one, values).fetchone()).encode())
    known = [[column.name, column.type] for column in stored.known.columns]
    digest.update(document([_HASHED_AS, *known]))
    return digest.hexdigest()
