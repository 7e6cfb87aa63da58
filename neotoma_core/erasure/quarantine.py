"""Quarantined rows of what is erased: counted, and not kept."""

from pathlib import Path

import polars as pl

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erasure.named_cells import name_literals, table_in_quarantine
from neotoma_core.files.exact_paths import read_parquet
from neotoma_core.files.frames import write_parquet


def forget_quarantined(quarantine: Path, erased: ErasedIds) -> None:
    """Remove from a run's quarantine the rows that name anything erased.

    What is of a table that Neotoma does not have stays.
    """
    for path in sorted(quarantine.glob("*.parquet")):
        table = table_in_quarantine(path)
        if table:
            _forget(path, table, erased)


def _forget(path: Path, table: str, erased: ErasedIds) -> None:
    rows = read_parquet(path, memory_map=False)
    named = name_literals(table, rows)
    found = erased.find_in([named])
    hits = [pl.col(c).is_in(sorted(found[k])) for c, k in named.naming.items() if k in found]
    if not hits:
        return
    gone = named.rows.select(gone=pl.any_horizontal(hits).fill_null(value=False))["gone"]
    if gone.all():
        path.unlink()
    elif gone.any():
        write_parquet(rows.filter(~gone), path)
