"""What a database held when it was archived last, noted so that what changed since is soon found.

::

    .known/known.json           random keys of quick hashes; what the note of each table is of
    .known/<table>-<id>.arrow   its rows: number, quick hashes, hash of the key, lasting hash

A note counts only while the table is declared as it was, and while the archive has what it had
then: so the rows noted are those that stand in the archive. It may be deleted at any time. No id
and no other value of a row is in it, and quick hashes have random keys, so that nobody can write a
row that passes for another.
"""

import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.documents.document import document, document_of
from neotoma_core.documents.models import FileName, HexDigits, NotAsModelled, Word, read_model
from neotoma_core.errors import NativePanic, without_panic
from neotoma_core.files.atomic import write_file
from neotoma_core.files.exact_paths import read_ipc, write_ipc
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.row_versions.columns import ROW_HASH
from neotoma_core.row_versions.record_hashes import QUICK

FOLDER: Final = ".known"
NOTES: Final = "known.json"
_KEY: Final = "_key"
_SEEDS: Final = 3  # of the two quick hashes, and of the hash of a key
_BITS: Final = 48  # of a seed, which JSON keeps exactly
_ID_BYTES: Final = 4
_SCHEMA: Final[dict[str, pl.DataType]] = {
    ROWID: pl.Int64(),
    **dict.fromkeys((*QUICK, _KEY), pl.UInt64()),
    ROW_HASH: pl.String(),
}


@dataclass(frozen=True, slots=True)
class _Note:
    """The note of one table. ``declared``, ``archived``: of what."""

    file: FileName
    declared: HexDigits
    archived: HexDigits


@dataclass(frozen=True, slots=True)
class _Notes:
    polars: str
    seeds: tuple[int, ...]
    tables: Mapping[Word, _Note]


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between a table and what is noted of it.

    ``fresh``: (_rowid, _quick, _quicker) of the rows that are new, or not as they were. ``gone``:
    the hashes of those noted that are gone, or not as they were. ``kept``: the rest of the note.
    """

    fresh: pl.DataFrame
    gone: pl.Series
    kept: pl.DataFrame


class KnownRows:
    """The notes next to one archive; nothing is written before ``keep``."""

    def __init__(self, archive: Path) -> None:
        self._folder = archive / FOLDER
        self._new: dict[str, tuple[pl.DataFrame, str]] = {}
        self._notes = self._read() or _Notes(
            pl.__version__, tuple(secrets.randbits(_BITS) for _ in range(_SEEDS)), {}
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """The keys of the two quick hashes."""
        return self._notes.seeds[: len(QUICK)]

    def is_of(self, table: str, archived: str) -> bool:
        """Return whether there is a note of a table, of an archive in such a state."""
        note = self._notes.tables.get(table)
        return note is not None and note.archived == archived

    def changes(self, table: str, declared: str, rows: pl.DataFrame) -> Changes | None:
        """Return what changed; None where the note is of no use.

        ``rows``: (_rowid, _quick, _quicker) of all rows of the table, by ``_rowid``.
        """
        noted = self._read_note(table, declared)
        if noted is None:
            return None
        now = rows.rename({name: f"{name}_now" for name in QUICK})
        beside = noted.select(ROWID, *QUICK).join(now, ROWID, "left", maintain_order="left")
        is_same = [pl.col(name) == pl.col(f"{name}_now") for name in QUICK]
        same = beside.select(pl.all_horizontal(is_same).fill_null(value=False)).to_series()
        kept = noted.filter(same)
        return Changes(rows.join(kept, ROWID, "anti"), noted.filter(~same)[ROW_HASH], kept)

    def noted_rows(self, marked: pl.DataFrame, key: str) -> pl.DataFrame | None:
        """Return rows (_rowid, quick hashes, key, _row_hash) as they are noted.

        None where two have one key or one hash, or one has no key: those cannot be told apart.
        """
        rows = marked.select(
            ROWID, *QUICK, pl.col(key).hash(self._notes.seeds[-1]).alias(_KEY), ROW_HASH
        )
        return None if marked[key].null_count() or not _are_distinct(rows) else rows

    def join_fresh(self, changes: Changes, fresh: pl.DataFrame) -> pl.DataFrame | None:
        """Return the note of a table with its fresh rows; None where they cannot be told apart."""
        if fresh.is_empty():
            return changes.kept
        for column in (_KEY, ROW_HASH):
            if changes.kept[column].is_in(fresh[column].implode()).any():
                return None
        return pl.concat([changes.kept, fresh]).sort(ROWID)

    def note(self, table: str, declared: str, rows: pl.DataFrame) -> None:
        """Note the rows of a table, as ``noted_rows`` and ``joined`` return them."""
        self._new[table] = rows, declared

    def leave_out(self, table: str) -> None:
        """Keep no note of a table: its rows are not those that stand in the archive."""
        self._new.pop(table, None)
        self._notes = replace(
            self._notes, tables={n: one for n, one in self._notes.tables.items() if n != table}
        )

    def keep(self, archived: Mapping[str, str]) -> None:
        """Write down what was noted; a note that cannot be written is skipped.

        ``archived``: by table, the state of its archive now; a table that is not in it has no note.
        """
        tables = {}
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            for table, state in archived.items():
                note = (
                    self._write_note(table) if table in self._new else self._notes.tables.get(table)
                )
                if note is not None:
                    tables[table] = _Note(note.file, note.declared, state)
            notes = _Notes(pl.__version__, self._notes.seeds, tables)
            write_file(self._folder / NOTES, document(notes))
            self._tidy({note.file for note in tables.values()})
            return
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write_note(self, table: str) -> _Note:
        rows, declared = self._new[table]
        name = f"{table}-{secrets.token_hex(_ID_BYTES)}.arrow"
        write_ipc(rows, self._folder / name, compression="uncompressed")
        return _Note(name, declared, "")

    def _tidy(self, names: set[str]) -> None:
        for path in self._folder.iterdir():
            if path.name != NOTES and path.name not in names:
                path.unlink()

    def _read_note(self, table: str, declared: str) -> pl.DataFrame | None:
        note = self._notes.tables.get(table)
        if note is None or note.declared != declared:
            return None
        path = self._folder / note.file
        try:
            found = without_panic(str(path), lambda: read_ipc(path))
        except (pl.exceptions.PolarsError, OSError, NativePanic):
            return None
        return found if dict(found.schema) == _SCHEMA else None

    def _read(self) -> _Notes | None:
        try:
            notes = read_model(_Notes, document_of(read_small(self._folder / NOTES)))
        except (OSError, ValueError, NotAsModelled):
            return None
        is_ours = notes.polars == pl.__version__ and len(notes.seeds) == _SEEDS
        return notes if is_ours and all(0 <= seed < 1 << 64 for seed in notes.seeds) else None


def _are_distinct(rows: pl.DataFrame) -> bool:
    return not any(rows[column].is_duplicated().any() for column in (_KEY, ROW_HASH))
