"""Rewriting files of an archive as fewer, and removing those that nothing needs any more.

Invariant: a reader sees the old files or the new one, never both, and either has the same rows.
Order: new file written and synced → its rows compared with those of the old files → one commit
names it and drops them → the old files go, once their retention is over and no pin names them.
"""

import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
from deltalake import CommitProperties, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction

from neotoma_core.archive_tables.reading import ArchivedFile, DamagedFile, read_file
from neotoma_core.archive_tables.tables import Archive, open_table
from neotoma_core.archive_tables.writing import WRITER, sync_new, writing_error
from neotoma_core.documents.models import NotAsModelled, Word, read
from neotoma_core.errors import (
    ArchiveBusy,
    ArchiveDamaged,
    ArchiveError,
    VaultDamaged,
    VerificationFailed,
    done_besides,
)
from neotoma_core.files.atomic import announce, sync_file
from neotoma_core.files.exact_paths import table_to_change, write_parquet
from neotoma_core.neotoma.json import stringify
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.row_versions.columns import ARCHIVED_AT, ROW_HASH, SCHEMAS
from neotoma_core.row_versions.hashed_rows import hash_frame
from neotoma_core.vault.folder import read_json, write_json

STEPS: Final = ("group_written", "compacted_written", "compacted_committed", "old_removed")
PINS: Final = "pins.json"
_GROUP_ROWS: Final = 65_536
_NANOSECONDS: Final = 1_000_000  # in a millisecond


def rewrite_files(  # noqa: PLR0913, PLR0917 - which files of what, how, and as of when
    archive: Archive,
    table: str,
    groups: Sequence[Sequence[ArchivedFile]],
    by: Sequence[str],
    after: int,
    now: datetime,
) -> int:
    """Write each group of files as one, its rows sorted ``by``, in one commit; return its bytes.

    ``after``: the ``commit_number`` of the state that was decided on; ``now``: from when on the
    retention of the old files runs. Raises ArchiveDamaged for a file that cannot be read,
    VerificationFailed where the rows are not the same, ArchiveBusy.
    """
    place = archive.path / table
    before = {path for path in place.rglob("*") if path.is_file()}
    actions: list[AddAction | RemoveAction] = []
    written: list[Path] = []
    try:
        for group in groups:
            rows = pl.concat([_read(table, file) for file in group])
            path = place / f"part-{uuid.uuid4()}.zstd.parquet"
            written.append(path)
            _write(rows.sort(by, nulls_last=True), path)
            announce("group_written", path)
            _require_same(archive, table, rows, path)
            actions.append(_add_action(path, rows.height))
            actions += (_remove_action(file, now) for file in group)
        announce("compacted_written")
    except BaseException as error:
        _remove(written)
        if isinstance(error, DeltaError | OSError):
            raise writing_error(place, error) from error
        raise
    try:
        _commit(archive, table, actions, after + 1)
    except (CommitFailedError, FileExistsError) as error:
        _remove(written)
        raise ArchiveBusy(place) from error
    except (DeltaError, OSError) as error:  # the commit may stand all the same: its files stay
        raise writing_error(place, error) from error
    sync_new(place, before)
    done_besides("the files of the archive that were compacted")
    announce("compacted_committed")
    return sum(path.stat().st_size for path in written)


def _remove(written: Sequence[Path]) -> None:
    """Remove files that no commit names: they are nobody's."""
    for path in written:
        path.unlink(missing_ok=True)


def _commit(
    archive: Archive, table: str, actions: list[AddAction | RemoveAction], number: int
) -> None:
    with table_to_change(archive.path / table) as at:
        opened = open_table(archive, table, at)
        opened.create_write_transaction(
            actions,
            mode="append",
            schema=opened.schema(),
            commit_properties=CommitProperties(
                app_transactions=[Transaction(WRITER, number, None)]
            ),
        )


def remove_old(archive: Archive, table: str, hours: int, *, apply: bool) -> int:
    """Remove files put aside more than ``hours`` ago that no version needs; return how many.

    What the current version or a pinned one names stays, and so does what no commit ever named.
    Without ``apply`` they are only counted.
    Raises ArchiveError where a link is in the table's folder: what it leads to is another's.
    """
    _require_no_links(archive.path / table)
    pinned = [
        version for pin in read_pins(archive).values() if (version := pin.get(table, -1)) >= 0
    ]
    with table_to_change(archive.path / table) as at:
        removed = open_table(archive, table, at).vacuum(
            retention_hours=hours,
            dry_run=not apply,
            enforce_retention_duration=False,
            full=False,
            keep_versions=pinned or None,
        )
    if apply:
        announce("old_removed")
    return len(removed)


def _require_no_links(place: Path) -> None:
    inside = (Path(folder) / n for folder, *names in os.walk(place) for n in (*names[0], *names[1]))
    link = next((path for path in (place, *inside) if path.is_symlink()), None)
    if link is not None:
        raise ArchiveError(link, "a link in an archive", "put what it names in its place")


def read_pins(archive: Archive) -> Mapping[str, Mapping[str, int]]:
    """Return the pins of an archive: name → table → version; raises ArchiveDamaged."""
    path = archive.path / PINS
    try:
        pins = read_json(path) if path.exists() else {}
        known: Mapping[str, Mapping[str, int]] = read(Mapping[Word, Mapping[Word, int]], pins, "")
    except (NotAsModelled, VaultDamaged) as error:
        raise ArchiveDamaged(path, "its pins cannot be read", "restore it from a copy") from error
    if any(table not in SCHEMAS for tables in known.values() for table in tables):
        raise ArchiveDamaged(path, "its pins are of other tables", "restore it from a copy")
    return known


def write_pins(archive: Archive, pins: Mapping[str, Mapping[str, int]]) -> None:
    """Keep the pins of an archive."""
    write_json(archive.path / PINS, {name: dict(tables) for name, tables in pins.items()})


def fingerprint_of(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what rows are, whatever their order: a line per row, sorted.

    A hash of all cells, recomputed, and what the row says of itself.
    """
    own = [n for n in SCHEMAS[table] if table not in BY_NAME or n not in BY_NAME[table].names]
    lines = rows.select(own)
    if table in BY_NAME:
        lines = lines.with_columns(hash_frame(BY_NAME[table], rows).alias("_content"))
    else:
        lines = rows.select(SCHEMAS[table].keys())
    return lines.sort(ROW_HASH, ARCHIVED_AT, *(n for n in lines.columns), nulls_last=True)


def _read(table: str, file: ArchivedFile) -> pl.DataFrame:
    rows = read_file(table, file, SCHEMAS[table])
    if isinstance(rows, DamagedFile):
        raise ArchiveDamaged(rows.path, rows.reason, "restore the file from a copy")
    return rows


def _write(rows: pl.DataFrame, path: Path) -> None:
    write_parquet(rows, path, compression="zstd", row_group_size=_GROUP_ROWS)
    sync_file(path)


def _require_same(archive: Archive, table: str, rows: pl.DataFrame, path: Path) -> None:
    size = path.stat().st_size
    there = read_file(table, ArchivedFile(path, size, rows.height, 0), SCHEMAS[table])
    same = isinstance(there, pl.DataFrame) and fingerprint_of(table, there).equals(
        fingerprint_of(table, rows), null_equal=True
    )
    if not same:
        raise VerificationFailed(
            f"archive {archive.path}", (f"{table}: compacted rows are not those that were there",)
        )


def _add_action(path: Path, rows: int) -> AddAction:
    facts = path.stat()
    stats = stringify({"numRecords": rows})
    written = facts.st_mtime_ns // _NANOSECONDS
    return AddAction(path.name, facts.st_size, {}, written, data_change=False, stats=stats)


def _remove_action(file: ArchivedFile, now: datetime) -> RemoveAction:
    moment = int(now.timestamp() * 1000)
    return RemoveAction(
        file.path.name,
        data_change=False,
        deletion_timestamp=moment,
        size=file.size,
        partition_values={},
    )
