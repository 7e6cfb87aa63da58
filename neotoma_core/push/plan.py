"""What of an archive a log on a remote does not have yet. Pure.

A log has whole runs of an archive: of each table everything up to a moment. What is missing is what
has a later one.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from neotoma_core.archive_tables.committed import Committed
from neotoma_core.row_versions.columns import ARCHIVED_AT

_FILES_AT_ONCE: Final = 1_000
_BYTES_AT_ONCE: Final = 64 << 20


def later(rows: pl.DataFrame, said: Committed | None) -> pl.DataFrame:
    """Return the rows that are later than all that a table of a log has."""
    if said is None:
        return rows
    return rows.filter(pl.col(ARCHIVED_AT).dt.epoch("us").fill_null(0) > said.until)


def batches(sizes: Mapping[str, int]) -> list[dict[str, int]]:
    """Return raw files, sizes by name, in batches that one entry each names."""
    found: list[dict[str, int]] = []
    room = 0
    for name in sorted(sizes):
        if not found or len(found[-1]) == _FILES_AT_ONCE or room < sizes[name]:
            found.append({})
            room = _BYTES_AT_ONCE
        found[-1][name] = sizes[name]
        room -= sizes[name]
    return found
