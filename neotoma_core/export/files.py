"""The files of an export, written next to the folder and moved into place once complete.

Invariant: the folder holds the old export or the new one. Order: a hidden folder next to it is
written and synced → the old folder is renamed aside → the new one takes its name → the old goes.
Killed between the renames, the folder is missing and the old one is next to it; the next export
puts that back before it begins.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.ipc as pa_ipc

from neotoma_core.errors import UsageError, VaultDamaged, done_besides, reason_of
from neotoma_core.files.atomic import (
    announce,
    hide_name,
    sync_file,
    sync_folder,
    temporary_name,
)
from neotoma_core.files.exact_paths import open_to_write, plain_scratch
from neotoma_core.files.failures import redo_if_interrupted
from neotoma_core.files.frames import parquet_parts
from neotoma_core.files.private import make_folders, make_private
from neotoma_core.neotoma.ddl import quote
from neotoma_core.neotoma.json import JsonValue, stringify
from neotoma_core.vault.folder import read_json, write_json

Format = Literal["parquet", "csv", "arrow"]
Write = Callable[[pl.DataFrame], None]

CATALOG: Final = "catalog.json"
DATABASE: Final = "analytics.duckdb"
STEPS: Final = ("export_written", "export_moved_aside", "export_in_place")
_LONGEST_LINE: Final = 64 << 20  # of a CSV file, in bytes: all that one row holds
_SQL_TYPES: Final[Mapping[str, str]] = {
    "boolean": "BOOLEAN",
    "date": "DATE",
    "float": "DOUBLE",
    "integer": "BIGINT",
    "timestamp (UTC)": "TIMESTAMPTZ",
}


@dataclass(frozen=True, slots=True)
class View:
    """A view over a file of an export. ``columns``: (name, type) as the catalog has them."""

    name: str
    file: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ExportFolder:
    """An export being written; ``folder`` is where, until it is whole."""

    folder: Path
    format: Format

    def file(self, name: str) -> str:
        """Return the file, relative to the export, of a table."""
        return f"{name}.{self.format}"

    @contextmanager
    def writing(self, name: str, schema: Mapping[str, pl.DataType]) -> Iterator[Write]:
        """Write a table part by part: the block is given what writes a part."""
        path = self.folder / self.file(name)
        make_folders(path.parent)
        if self.format == "parquet":
            with parquet_parts(path, schema) as write:
                yield write
            return
        arrow = _flat(pl.DataFrame(schema=dict(schema)), self.format).schema
        opened = pa_csv.CSVWriter if self.format == "csv" else pa_ipc.new_file
        with open_to_write(path) as file, opened(file, arrow) as writer:
            yield lambda part: writer.write_table(
                _flat(part[list(schema)], self.format).cast(arrow)
            )
        sync_file(path)


def _flat(part: pl.DataFrame, to: Format) -> pa.Table:
    """Return a frame as Arrow; for CSV, lists as JSON text."""
    if to == "csv":
        lists = [name for name, kind in part.schema.items() if isinstance(kind, pl.List)]
        part = part.with_columns(pl.Series(n, _texts(part[n]), dtype=pl.String) for n in lists)
    return part.to_arrow(compat_level=pl.CompatLevel.oldest())


def _texts(lists: pl.Series) -> list[str | None]:
    return [None if items is None else stringify(items) for items in lists.to_list()]


@contextmanager
def new_export(to: Path, form: Format) -> Iterator[ExportFolder]:
    """Write an export; it takes its place when the block ends well.

    Raises UsageError where ``to`` holds anything but an export.
    """
    aside, unborn = hide_name(to, "old"), temporary_name(to)
    if not to.exists() and aside.exists():
        aside.rename(to)
    require_export(to)
    shutil.rmtree(unborn, ignore_errors=True)
    try:
        make_folders(unborn)
    except OSError as error:
        wrong = reason_of(error)
        raise UsageError(f"{to}: {wrong}; choose another folder with --to") from error
    try:
        yield ExportFolder(unborn, form)
        make_private(unborn)
        for path in sorted(unborn.rglob("*")):
            sync_folder(path) if path.is_dir() else sync_file(path)
        announce("export_written")
        if to.exists():
            shutil.rmtree(aside, ignore_errors=True)
            to.rename(aside)
        announce("export_moved_aside")
        unborn.rename(to)
        sync_folder(to.parent)
        done_besides("the export that was written")
        announce("export_in_place")
        shutil.rmtree(aside, ignore_errors=True)
    finally:
        shutil.rmtree(unborn, ignore_errors=True)
        if not to.exists() and aside.exists():
            aside.rename(to)


def require_export(to: Path) -> None:
    """Raise UsageError where ``to`` is neither missing, nor empty, nor an export."""
    if not to.exists():
        return
    if not to.is_dir():
        raise UsageError(f"{to}: a file; name a folder with --to")
    if not any(to.iterdir()):
        return
    try:
        described = read_json(to / CATALOG) if (to / CATALOG).is_file() else None
    except VaultDamaged:
        described = None
    if not isinstance(described, dict) or described.get("kind") != "midden export":
        raise UsageError(
            f"{to}: holds files that are not an export; choose another folder with --to"
        )


def write_catalog(export: ExportFolder, catalog: JsonValue) -> None:
    """Write the catalog, the last file of an export."""
    write_json(export.folder / CATALOG, catalog)


def write_views(export: ExportFolder, views: Sequence[View]) -> bool:
    """Write a DuckDB database with a view over each file; tell whether it could be.

    Files are named relative to the export, so that it may be moved. DuckDB reads no Arrow files.
    """
    if export.format == "arrow":
        return False
    with plain_scratch() as scratch:
        link = scratch / "export"
        link.symlink_to(export.folder.resolve())
        redo_if_interrupted(lambda: _write_views(export, views, scratch, link))
        shutil.copyfile(scratch / DATABASE, export.folder / DATABASE)
    return True


def _write_views(export: ExportFolder, views: Sequence[View], scratch: Path, link: Path) -> None:
    for left in scratch.glob(f"{DATABASE}*"):
        left.unlink()
    with closing(duckdb.connect(str(scratch / DATABASE))) as connection:
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute(f"SET file_search_path = {_literal(str(link))}")
        for view in views:
            read = _csv_reader(view) if export.format == "csv" else _parquet_reader(view)
            connection.execute(f"CREATE VIEW {quote(view.name)} AS SELECT * FROM {read}")


def _parquet_reader(view: View) -> str:
    return f"read_parquet({_literal(view.file)})"


def _csv_reader(view: View) -> str:
    """Return what reads a CSV file as it was written: nothing about it is guessed."""
    columns = ", ".join(
        f"{_literal(name)}: '{_SQL_TYPES.get(kind, 'VARCHAR')}'" for name, kind in view.columns
    )
    return (
        f"read_csv({_literal(view.file)}, auto_detect = false, header = true, delim = ',', "
        "quote = '\"', escape = '\"', allow_quoted_nulls = false, "
        f"max_line_size = {_LONGEST_LINE}, buffer_size = {2 * _LONGEST_LINE}, "
        f"columns = {{{columns}}})"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
