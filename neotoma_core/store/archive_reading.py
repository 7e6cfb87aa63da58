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

from neotoma_core.archive.columns import SCHEMAS
from neotoma_core.errors import ArchiveDamaged, NativePanic, without_panic
from neotoma_core.store.archive import Archive, open_table
from neotoma_core.store.exact_paths import parquet_columns, read_parquet
from neotoma_core.tables import BY_NAME

_ADVICE: Final = "restore the file from a copy; `midden verify --archive` lists all that is damaged"


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A file of an archive that cannot be read, and why."""

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
class ReadTable:
    """Rows of one table of an archive, in no order, and the files that could not be read."""

    rows: pl.DataFrame
    damaged: tuple[DamagedFile, ...]

    def require_whole(self) -> pl.DataFrame:
        """Return the rows; raises ArchiveDamaged where any file could not be read."""
        for file in self.damaged:
            raise ArchiveDamaged(file.path, file.reason, _ADVICE)
        return self.rows


def table_files(archive: Archive, table: str) -> tuple[ArchivedFile, ...]:
    """Return the files of a table as it is now, by name; none where the archive lacks it."""
    return files_of(open_table(archive, table), archive.path / table) if archive.has(table) else ()


def files_of(opened: DeltaTable, place: Path) -> tuple[ArchivedFile, ...]:
    """Return the files of a version of a table that is in ``place``, by name."""
    actions = pl.DataFrame(opened.get_add_actions(flatten=True))
    files = (
        ArchivedFile(place / unquote(str(path)), size, rows or 0, _milliseconds(added))
        for path, size, added, rows in actions.select(
            "path", "size_bytes", pl.col("modification_time").cast(pl.Int64), "num_records"
        ).iter_rows()
    )
    return tuple(sorted(files, key=lambda file: file.path.name))


def read_table(archive: Archive, table: str, columns: Sequence[str] | None = None) -> ReadTable:
    """Read some columns of a table, all by default; empty where the archive lacks the table."""
    wanted = wanted_columns(table, columns)
    parts = [pl.DataFrame(schema=dict(wanted))]
    damaged = []
    for _, part in read_files(archive, table, columns):
        if isinstance(part, DamagedFile):
            damaged.append(part)
        else:
            parts.append(part)
    return ReadTable(pl.concat(parts), tuple(damaged))


def read_files(
    archive: Archive, table: str, columns: Sequence[str] | None = None
) -> Iterator[tuple[ArchivedFile, pl.DataFrame | DamagedFile]]:
    """Yield the rows of a table file by file, or what is wrong with the file."""
    wanted = wanted_columns(table, columns)
    for file in table_files(archive, table):
        yield file, read_file(table, file, wanted)


def read_file(
    table: str, file: ArchivedFile, wanted: Mapping[str, pl.DataType]
) -> pl.DataFrame | DamagedFile:
    """Return the ``wanted`` columns of one file; columns it lacks as a migration fills them."""
    if not file.path.is_file():
        return DamagedFile(file.path, "the file is missing")
    if file.path.stat().st_size != file.size:
        return DamagedFile(
            file.path, f"it does not have the {file.size:,} bytes it was written with"
        )
    try:
        rows = without_panic(str(file.path), lambda: _rows(table, file.path, wanted))
    except (pl.exceptions.PolarsError, OSError, ValueError, NativePanic):  # they may quote values
        return DamagedFile(file.path, "it cannot be read as Parquet")
    if rows.height != file.rows:
        return DamagedFile(
            file.path, f"it does not have the {file.rows:,} rows it was written with"
        )
    return rows


def _rows(table: str, path: Path, wanted: Mapping[str, pl.DataType]) -> pl.DataFrame:
    present = parquet_columns(path)
    read = read_parquet(path, columns=[n for n in wanted if n in present])
    cells = [_column(table, name, kind, name in present) for name, kind in wanted.items()]
    return read.select(cells) if read.height else pl.DataFrame(schema=dict(wanted))


def wanted_columns(table: str, columns: Sequence[str] | None) -> dict[str, pl.DataType]:
    """Return the types of some columns of a table, all by default."""
    schema = SCHEMAS[table]
    return {name: schema[name] for name in (columns or schema)}


def _column(table: str, name: str, kind: pl.DataType, present: bool) -> pl.Expr:  # noqa: FBT001 - of one call
    if present:
        return pl.col(name).cast(kind)
    known = {c.name: c.default for c in BY_NAME[table].columns} if table in BY_NAME else {}
    default = known.get(name)
    filled = default.strip("'") if default is not None else None
    return pl.lit(filled).cast(kind).alias(name)


def _milliseconds(value: object) -> int:
    return int(str(value)) if value is not None else 0
