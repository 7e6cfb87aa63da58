"""Frames in files: Arrow for the scratch of a run, Parquet for what is kept."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.documents.document import document_of
from neotoma_core.errors import NativePanic, UsageError, reason_of, without_panic
from neotoma_core.files import exact_paths
from neotoma_core.files.atomic import install, sync_file, temporary_name
from neotoma_core.files.exact_paths import open_to_write, read_ipc, read_parquet, write_ipc
from neotoma_core.files.private import make_folders
from neotoma_core.files.regular import open_regular
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.json import JsonValue

_PARQUET: Final = b"PAR1"
_PLAIN: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def file_name(table: str) -> str:
    """Return a name for files with rows of ``table``, which may itself be called anything."""
    if _PLAIN.fullmatch(table):
        return table
    return f"table-{hashlib.sha256(table.encode()).hexdigest()[:16]}"


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame into the scratch of a run."""
    write_ipc(frame, path, compression="uncompressed")


def read_frame(path: Path) -> pl.DataFrame:
    """Read a frame from the scratch of a run."""
    return read_ipc(path)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a Parquet file atomically, creating its folder."""
    make_folders(path.parent)
    temporary = temporary_name(path)
    try:
        exact_paths.write_parquet(frame, temporary)
        sync_file(temporary)
        install(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_records(path: Path) -> list[JsonValue]:
    """Return the records of a Parquet file, or of a JSON file: an array of them, or one a line.

    Raises UsageError where the file is neither.
    """
    try:
        with open_regular(path) as file:
            is_parquet = file.read(len(_PARQUET)) == _PARQUET
        if is_parquet:
            return list(without_panic(str(path), lambda: read_parquet(path).to_dicts()))
        value: JsonValue = _records(read_small(path))
    except OSError as error:
        raise UsageError(f"{path}: {reason_of(error)}; check the spelling") from error
    except (ValueError, pl.exceptions.PolarsError, NativePanic):
        value = None  # what the parsers say of it may quote it
    if not isinstance(value, list):
        raise UsageError(f"{path}: neither Parquet nor a JSON array; start from a plan's own file")
    return value


def _records(raw: bytes) -> JsonValue:
    try:
        value = document_of(raw)
    except ValueError:
        return [document_of(line) for line in raw.splitlines() if line.strip()]
    return [value] if isinstance(value, dict) else value


@contextmanager
def parquet_parts(
    path: Path, schema: Mapping[str, pl.DataType]
) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Write a Parquet file part by part, atomically: the block is given what writes a part.

    The file is there once the block has ended well; until then nobody sees it. Columns are taken
    by name and not selected: a field may be called ``*``, which selects them all.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - slow to load; only exports write in parts

    make_folders(path.parent)
    arrow = pl.DataFrame(schema=dict(schema)).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    temporary = temporary_name(path)
    try:
        with (
            open_to_write(temporary) as file,
            pq.ParquetWriter(file, arrow, compression="zstd") as writer,
        ):
            yield lambda part: writer.write_table(
                part[list(schema)].to_arrow(compat_level=pl.CompatLevel.oldest()).cast(arrow)
            )
        sync_file(temporary)
        install(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
