"""What our tables and reports next to databases name: archives, exports, quarantine.

Each is read as far as it can be; of what cannot be read nothing is known.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.documents.document import document_of
from neotoma_core.erased.naming import NamedRows, name_rows, naming_columns
from neotoma_core.errors import ArchiveError, NativePanic, VaultDamaged, without_panic
from neotoma_core.export.catalog import KIND
from neotoma_core.export.files import CATALOG
from neotoma_core.files.exact_paths import read_ipc, read_parquet
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.row_versions.columns import ARCHIVED, REMOVED
from neotoma_core.vault.folder import read_json

_UNREADABLE: Final = (pl.exceptions.PolarsError, OSError, ValueError, NativePanic)
_LITERAL: Final = r"^'((?s).*)'$"
_WORD: Final = re.compile(r"[^\s\"'`,;()\[\]{}]+")
_EDGES: Final = ".:!?"
_NO_TABLE: Final = ""  # its columns count by their names


def read_named_in_archive(place: Path) -> Iterator[NamedRows]:
    """Yield what the tables of an archive name, in whatever version of their rows."""
    with suppress(ArchiveError, OSError):
        archive = open_archive(place)
        for table in ARCHIVED:
            columns = (ROWID, *naming_columns(table.name, table.names))
            with suppress(ArchiveError):
                rows = read_table(archive, table.name, columns).rows
                yield name_rows(table.name, rows)
        with suppress(ArchiveError):
            yield from _name_by_key(read_table(archive, REMOVED, ("table", "key")).rows)


def is_export(place: Path) -> bool:
    """Return whether a folder is a Midden export, as its catalog says."""
    if not (place / CATALOG).is_file():
        return False
    with suppress(VaultDamaged, OSError):
        described = read_json(place / CATALOG)
        return isinstance(described, dict) and described.get("kind") == KIND
    return False


def read_named_in_export(place: Path) -> Iterator[NamedRows]:
    """Yield what the files of an export name, by the names of their columns."""
    for path in _plain_files(place):
        rows = _frame(path)
        if rows is not None:
            yield _name_rows(_NO_TABLE, rows)


def read_named_in_quarantine(folder: Path) -> Iterator[NamedRows]:
    """Yield what quarantined rows name, whose cells are SQL literals."""
    for path in _plain_files(folder):
        rows = _frame(path)
        if rows is not None:
            yield name_literals(table_in_quarantine(path), rows)


def table_in_quarantine(path: Path) -> str:
    """Return the table whose rows a file of the quarantine holds; empty where it is not ours.

    It is called after the backup and the table.
    """
    tables = [name for name in BY_NAME if path.stem.endswith(f"-{name}")]
    return max(tables, key=len, default=_NO_TABLE)


def name_literals(table: str, rows: pl.DataFrame) -> NamedRows:
    """Return what rows name whose cells are SQL literals."""
    cells = [
        pl.col(name).str.extract(_LITERAL).str.replace_all("''", "'", literal=True)
        for name in naming_columns(table, rows.columns)
    ]
    return name_rows(table, rows.with_columns(cells))


def read_named_in_reports(folder: Path) -> Iterator[NamedRows]:
    """Yield what the rows of a report's tables are about, by the key of their own table."""
    for path in _plain_files(folder):
        rows = _frame(path)
        if rows is not None and {"table", "key"} <= set(rows.columns):
            yield from _name_by_key(rows)


def words_of_reports(folder: Path) -> Iterator[pl.Series]:
    """Yield the texts of a report's files, and the words in them: any may be an id of any kind."""
    for path in _plain_files(folder):
        if path.suffix in (".json", ".jsonl"):
            with suppress(ValueError, OSError):
                texts = set(_texts(_documents(path)))
                yield pl.Series(sorted(texts | _words(texts)), dtype=pl.String)
        elif (rows := _frame(path)) is not None:
            for column in rows.select(pl.col(pl.String).exclude("table", "key")).iter_columns():
                yield column.drop_nulls().unique()


def _documents(path: Path) -> JsonValue:
    """Return the document in a file, or the documents of its lines; raises ValueError, OSError."""
    raw = read_small(path)
    if path.suffix == ".json":
        return document_of(raw)
    return [document_of(line) for line in raw.splitlines() if line.strip()]


def _name_by_key(rows: pl.DataFrame) -> Iterator[NamedRows]:
    for (table,), part in rows.drop_nulls(["table", "key"]).group_by("table"):
        facts = BY_NAME.get(str(table))
        if facts is not None and len(facts.key) == 1:
            yield _name_rows(facts.name, part.select(pl.col("key").alias(*facts.key)))


def _name_rows(table: str, rows: pl.DataFrame) -> NamedRows:
    texts = rows.select(pl.col(pl.String))
    return name_rows(table, texts.drop(ROWID, strict=False).with_row_index(ROWID))


def _plain_files(folder: Path) -> Iterator[Path]:
    found = sorted(folder.rglob("*")) if folder.is_dir() and not folder.is_symlink() else []
    yield from (path for path in found if path.is_file() and not path.is_symlink())


def _frame(path: Path) -> pl.DataFrame | None:
    """Return a table of ours in whatever format; None for anything else."""
    readers = {".parquet": read_parquet, ".arrow": read_ipc, ".csv": _read_csv}
    reader = readers.get(path.suffix)
    if reader is None:
        return None
    try:
        return without_panic(str(path), lambda: reader(path))
    except _UNREADABLE:
        return None


def _read_csv(path: Path) -> pl.DataFrame:
    with path.open("rb") as file:
        return pl.read_csv(file, infer_schema=False)


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _words(texts: set[str]) -> set[str]:
    found = {word for text in texts for word in _WORD.findall(text)}
    return found | {word.strip(_EDGES) for word in found}
