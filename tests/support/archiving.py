"""Archives in tests: appending to them, and building databases from them."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

import polars as pl

from neotoma_core.archive.append import ArchiveRequest, append_database
from neotoma_core.archive.report import ArchiveReport, TableArchived
from neotoma_core.archive_tables.database import Selection, build_database
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.report.progress import Silent
from neotoma_core.row_versions.columns import ARCHIVED
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.private_copy import private_copy
from tests.conftest import NOW

Cells = list[tuple[tuple[str, object], ...]]


def archive(
    target: Path,
    to: Path | None = None,
    *,
    now: datetime = NOW,
    same_database: bool = False,
) -> ArchiveReport:
    """Append a database to the archive ``to``, by default one next to it."""
    place = to or target.parent / "archive"
    with private_copy(Whereabouts(target, target.parent / "archive-vault"), now) as copy:
        return append_database(copy, ArchiveRequest(place, same_database), Silent())


def rebuild(archived: Path, path: Path, selection: Selection | None = None) -> Path:
    """Build the database an archive describes."""
    build_database(open_archive(archived), path, selection or Selection(), Silent())
    return path


def of_table(report: ArchiveReport, table: str) -> TableArchived:
    (found,) = (t for t in report.archived if t.table == table)
    return found


def log_of(path: Path) -> Mapping[str, Cells]:
    """Return the rows of every archived table in stored order, columns by name, with their type."""
    tables: dict[str, Cells] = {}
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda raw: ("text", raw)
        for table in ARCHIVED:
            listed = connection.execute(f"SELECT name FROM pragma_table_info('{table.name}')")
            names = sorted(name.decode() for ((_, name),) in listed)
            if not names:  # of a release that has it not
                tables[table.name] = []
                continue
            quoted = ", ".join(f'"{name}"' for name in names)
            rows = connection.execute(f"SELECT {quoted} FROM {table.name} ORDER BY rowid")
            tables[table.name] = [
                tuple((n, exact(c)) for n, c in zip(names, row, strict=True)) for row in rows
            ]
    return tables


def exact(cell: object) -> object:
    """Return a cell so that -0.0 is not 0.0 and 1 is not 1.0."""
    return (type(cell).__name__, repr(cell))


def everything_in(folder: Path) -> str:
    """Return all that the files of a folder hold; compressed tables unpacked, too."""
    read = {".parquet": pl.read_parquet, ".arrow": pl.read_ipc}
    files = [path for path in folder.rglob("*") if path.is_file()]
    tables = [read[path.suffix](path).write_json() for path in files if path.suffix in read]
    return "\n".join([*tables, *(path.read_bytes().decode("latin-1") for path in files)])
