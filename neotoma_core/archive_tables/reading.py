"""Reading an archive, file by file: what is damaged is named, everything else is read all the same.

Invariant: a read sees one version of a table, whatever is appended or compacted meanwhile; a file
that a compaction put aside stays readable until its retention is over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable

from neotoma_core.archive_tables.committed import (
    Committed,
    continue_committed,
    is_held,
    joined_links,
    links_of,
    proving_columns,
)
from neotoma_core.archive_tables.record import RECORD
from neotoma_core.archive_tables.tables import DESCRIPTION, Archive, open_table
from neotoma_core.errors import ArchiveDamaged, NativePanic, without_panic
from neotoma_core.files.exact_paths import parquet_columns, read_parquet, read_parquet_piece
from neotoma_core.row_versions.columns import SCHEMAS, as_migrated
from neotoma_core.words.shell_words import midden_command

_SEEDS: Final = (0, 1)  # of quick hashes: together they tell rows apart


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A file of an archive that cannot be read, or a table that lacks what it had; and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file that the current version of a table names. Sizes in bytes; ``added_ms`` UTC."""

    path: Path
    size: int
    rows: int
    added_ms: int


@dataclass(frozen=True, slots=True)
class ListedTable:
    """The files of a table as it is now, by name. ``lost``: what the table as a whole lacks.

    ``before``: what it had committed by the record, or nothing yet; None where it is not there.
    """

    files: tuple[ArchivedFile, ...] = ()
    before: Committed | None = None
    version: int = -1
    lost: DamagedFile | None = None


@dataclass(frozen=True, slots=True)
class ReadTable:
    """Rows of one table of an archive, in no order, and what is ``damaged`` in it.

    ``committed``: what it has committed up to now; None where it is not there or not whole.
    ``lost``: whether it lacks what it had committed, other than by a damaged file.
    """

    rows: pl.DataFrame
    files: tuple[ArchivedFile, ...]
    version: int
    damaged: tuple[DamagedFile, ...]
    committed: Committed | None
    lost: bool

    def require_whole(self) -> pl.DataFrame:
        """Return the rows; raises ArchiveDamaged where any of them could not be read."""
        for file in self.damaged:
            raise _damage(file)
        return self.rows

    def require_committed(self) -> None:
        """Raise ArchiveDamaged where the table lacks what it had committed.

        A file that is damaged can be put back at any time. A commit cannot any more, once another
        has its number.
        """
        if self.lost:
            lost = self.damaged[0]
            advice = "restore it from a copy, or begin another archive with --to and keep this one"
            raise ArchiveDamaged(lost.path, lost.reason, advice)


def list_table(archive: Archive, table: str) -> ListedTable:
    """Return the files of a table as it is now, and what it lacks of what it had committed.

    Raises ArchiveError where a later format wrote it.
    """
    known = archive.commit_of(table)
    place = archive.path / table
    if archive.wrong:
        wrong: DamagedFile | None = DamagedFile(archive.path / RECORD, archive.wrong)
    else:
        wrong = None
    if not archive.has(table):
        if known:
            wrong = DamagedFile(
                place, f"the table is gone; {known.rows:,} rows were committed to it"
            )
        return ListedTable(lost=wrong)
    try:
        opened = open_table(archive, table)
        files, identifier = files_of(opened, place), str(opened.metadata().id)
    except ArchiveDamaged as error:
        return ListedTable(lost=DamagedFile(error.path, error.wrong))
    version = opened.version()
    if known and version < known.version:
        missing = f"{version}, and commit {known.version} was made"
        wrong = DamagedFile(place, f"commits of it are missing: its log ends with commit {missing}")
    entry = place / "_delta_log" / f"{version:020}.json"
    if not wrong and not entry.is_file():  # a checkpoint has what it said; nothing can follow it
        wrong = DamagedFile(entry, "the entry of the last commit is missing")
    return ListedTable(files, known or Committed(identifier), version, wrong)


def table_files(archive: Archive, table: str) -> tuple[ArchivedFile, ...]:
    """Return the files of a table as it is now, by name; none where the archive lacks it.

    Raises ArchiveDamaged where it lacks what it had committed.
    """
    listed = list_table(archive, table)
    if listed.lost:
        raise _damage(listed.lost)
    return listed.files


def files_of(opened: DeltaTable, place: Path) -> tuple[ArchivedFile, ...]:
    """Return the files of a version of a table that is in ``place``, by name.

    Raises ArchiveDamaged where its log names a file that lies elsewhere.
    """
    actions = pl.DataFrame(opened.get_add_actions(flatten=True))
    files = (
        ArchivedFile(_file_in(place, unquote(str(path))), size, rows or 0, _milliseconds(added))
        for path, size, added, rows in actions.select(
            "path", "size_bytes", pl.col("modification_time").cast(pl.Int64), "num_records"
        ).iter_rows()
    )
    return tuple(sorted(files, key=lambda file: file.path.name))


def _file_in(place: Path, name: str) -> Path:
    """Return the file of a table's own folder; raises ArchiveDamaged where that leads elsewhere.

    A log of Delta may name a file anywhere, on this machine or another. Ours never does.
    """
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        log, advice = place / "_delta_log", "restore it from a copy"
        raise ArchiveDamaged(log, "it names a file outside the table's folder", advice)
    return place / name


def read_table(archive: Archive, table: str, columns: Sequence[str] | None = None) -> ReadTable:
    """Read some columns of a table, all by default; empty where the archive lacks the table.

    Its rows are compared with those it had committed.
    """
    listed = list_table(archive, table)
    wanted = column_types(table, columns)
    proof = TableProof(archive, table, listed)
    parts = [pl.DataFrame(schema=wanted)]
    damaged = []
    for _, part in read_files(table, listed.files, tuple({**wanted, **proof.columns})):
        if isinstance(part, DamagedFile):
            damaged.append(part)
        else:
            proof.add(part)
            parts.append(part.select(wanted.keys()))
    lost, committed = listed.lost, None
    if not lost and not damaged:
        committed, lost = proof.outcome()
    found = (*([lost] if lost else []), *damaged)
    rows = pl.concat(parts)
    return ReadTable(rows, listed.files, listed.version, found, committed, lost is not None)


class TableProof:
    """Whether a table has the rows that it had committed, told from its rows part by part."""

    def __init__(self, archive: Archive, table: str, listed: ListedTable) -> None:
        self.columns = column_types(table, proving_columns(table))
        self._place = archive.path / table
        self._listed = listed
        self._is_recorded = archive.record is not None
        self._rows = [pl.DataFrame(schema={f"{n}": pl.UInt64() for n in _SEEDS})]
        self._links = [links_of(pl.DataFrame(schema=self.columns))]

    def add(self, rows: pl.DataFrame) -> None:
        """Count some rows, with the columns of the proof at least."""
        proving = rows.select(self.columns.keys())
        self.add_links(links_of(proving))
        if not self._is_recorded:  # then rows that are there twice are the only sign
            self._rows.append(pl.DataFrame([proving.hash_rows(n).alias(f"{n}") for n in _SEEDS]))

    def add_links(self, links: pl.DataFrame) -> None:
        """Count rows by their links; whoever does looks for rows that are there twice."""
        self._links.append(links)

    def outcome(self, *, twice: bool = False) -> tuple[Committed | None, DamagedFile | None]:
        """Return what the table has committed, or what it lacks of it, once it has all its rows.

        ``twice``: whether any of them is there twice.
        """
        listed = self._listed
        if listed.before is None:
            return None, None
        if not self._is_recorded and (twice or pl.concat(self._rows).is_duplicated().any()):
            reason = "it has rows twice, as where a file was put in the place of another"
            return None, DamagedFile(self._place, reason)
        links = joined_links(self._links)
        if not is_held(listed.before, links):
            reason = f"its rows are not the {listed.before.rows:,} that were committed"
            return None, DamagedFile(self._place, reason)
        return continue_committed(listed.before, listed.version, links), None


def read_files(
    table: str, files: Sequence[ArchivedFile], columns: Sequence[str] | None = None
) -> Iterator[tuple[ArchivedFile, pl.DataFrame | DamagedFile]]:
    """Yield the rows of a table file by file, or what is wrong with the file."""
    wanted = column_types(table, columns)
    for file in files:
        yield file, read_file(table, file, wanted)


def read_file(
    table: str,
    file: ArchivedFile,
    wanted: Mapping[str, pl.DataType],
    span: tuple[int, int] | None = None,
) -> pl.DataFrame | DamagedFile:
    """Return the ``wanted`` columns of one file; columns it lacks as a migration fills them.

    ``span``: only a piece of it, the first row and how many.
    """
    if not file.path.is_file():
        return DamagedFile(file.path, "the file is missing")
    if file.path.stat().st_size != file.size:
        return DamagedFile(
            file.path, f"it does not have the {file.size:,} bytes it was written with"
        )
    try:
        held, rows = without_panic(str(file.path), lambda: _rows(table, file.path, wanted, span))
    except (pl.exceptions.PolarsError, OSError, ValueError, NativePanic):  # they may quote values
        return DamagedFile(file.path, "it cannot be read as Parquet")
    if held != file.rows:
        return DamagedFile(
            file.path, f"it does not have the {file.rows:,} rows it was written with"
        )
    return rows


def _rows(
    table: str, path: Path, wanted: Mapping[str, pl.DataType], span: tuple[int, int] | None
) -> tuple[int, pl.DataFrame]:
    """Return how many rows a file has, and some of them."""
    present = parquet_columns(path)
    named = [n for n in wanted if n in present]
    if span is None:
        read = read_parquet(path, columns=named)
        held = read.height
    else:
        held, read = read_parquet_piece(path, named, *span)
    cells = [
        pl.col(name).cast(kind) if name in present else as_migrated(table, name, kind)
        for name, kind in wanted.items()
    ]
    return held, read.select(cells) if read.height else pl.DataFrame(schema=dict(wanted))


def column_types(table: str, columns: Sequence[str] | None) -> dict[str, pl.DataType]:
    """Return the types of some columns of a table, all by default."""
    schema = SCHEMAS[table]
    return {name: schema[name] for name in (schema if columns is None else columns)}


def _milliseconds(value: object) -> int:
    return int(str(value)) if value is not None else 0


def _damage(file: DamagedFile) -> ArchiveDamaged:
    place = next((p for p in file.path.absolute().parents if (p / DESCRIPTION).exists()), None)
    listing = midden_command("verify", "--archive", *([place] if place else []), target=None)
    advice = f"restore it from a copy; to list all that is damaged: {listing}"
    return ArchiveDamaged(file.path, file.reason, advice)
