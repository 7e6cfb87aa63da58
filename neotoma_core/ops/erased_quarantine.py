"""Quarantined rows of what is erased: counted, and not kept."""

from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.erasure.hashed import ErasedIds
from neotoma_core.erasure.naming import named_rows, naming_columns
from neotoma_core.store.exact_paths import read_parquet
from neotoma_core.store.frame_files import write_parquet
from neotoma_core.tables import MERGED

_TEXT: Final = r"^'((?s).*)'$"


def forget_quarantined(quarantine: Path, erased: ErasedIds) -> None:
    """Remove from a run's quarantine the rows that name anything erased.

    Their cells are SQL literals there, in files called after the backup and the table.
    """
    for path in sorted(quarantine.glob("*.parquet")):
        tables = [table.name for table in MERGED if path.stem.endswith(f"-{table.name}")]
        if tables:
            _forget(path, max(tables, key=len), erased)


def _forget(path: Path, table: str, erased: ErasedIds) -> None:
    rows = read_parquet(path, memory_map=False)
    cells = [
        pl.col(name).str.extract(_TEXT).str.replace_all("''", "'", literal=True)
        for name in naming_columns(table, rows.columns)
    ]
    named = named_rows(table, rows.with_columns(cells))
    found = erased.found_in({table: named})
    hits = [pl.col(c).is_in(sorted(found[k])) for c, k in named.naming.items() if k in found]
    if not hits:
        return
    gone = named.rows.select(gone=pl.any_horizontal(hits).fill_null(value=False))["gone"]
    if gone.all():
        path.unlink()
    elif gone.any():
        write_parquet(rows.filter(~gone), path)
