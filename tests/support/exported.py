"""Exports as other programs read them."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.csv as pa_csv
import pyarrow.ipc as pa_ipc
import pyarrow.parquet as pq

from neotoma_core.export.files import Format

LONGEST = 16 << 20


def catalog_of(folder: Path) -> dict[str, Any]:
    catalog: dict[str, Any] = json.loads((folder / "catalog.json").read_bytes())
    return catalog


def read_parquet(file: Path) -> list[dict[str, Any]]:
    assert pl.read_parquet(file).columns == pq.read_schema(file).names
    rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


def read_arrow(file: Path) -> list[dict[str, Any]]:
    with pa_ipc.open_file(file) as reader:
        rows: list[dict[str, Any]] = reader.read_all().to_pylist()
    return rows


def read_csv(file: Path) -> list[dict[str, Any]]:
    csv.field_size_limit(LONGEST)
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))
    means = pa_csv.ReadOptions(block_size=LONGEST), pa_csv.ParseOptions(newlines_in_values=True)
    assert pa_csv.read_csv(file, *means).num_rows == len(rows)
    return rows


READERS: dict[Format, Callable[[Path], list[dict[str, Any]]]] = {
    "parquet": read_parquet,
    "arrow": read_arrow,
    "csv": read_csv,
}
