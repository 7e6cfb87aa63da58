"""What of an archive a log on a remote does not have yet. Pure.

A log has whole runs of an archive: of each table everything up to a moment. What is missing is what
has a later one.
"""

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from neotoma_core.archive_tables.committed import Committed
from neotoma_core.remotes.log import Log, following_writer
from neotoma_core.row_versions.columns import ARCHIVED_AT

_FILES_AT_ONCE: Final = 1_000
_BYTES_AT_ONCE: Final = 64 << 20


def choose_log(logs: Mapping[str, Log], archive: str, is_continued: Callable[[Log], bool]) -> Log:
    """Return the log that an archive continues: its own, or a new one.

    ``is_continued``: whether the archive has all that a log has. Where it has not, as after the
    vault was put back to an older copy of itself, that log stays as it is and another one is begun,
    so that nothing in it is lost.
    """
    writer = archive
    while (log := logs.get(writer)) is not None and not is_continued(log):
        writer = following_writer(writer, log.last_hash, len(archive))
    return log or Log(writer)


def later(rows: pl.DataFrame, said: Committed | None) -> pl.DataFrame:
    """Return the rows that are later than all that a table of a log has."""
    if said is None:
        return rows
    return rows.filter(pl.col(ARCHIVED_AT).dt.epoch("us").fill_null(0) > said.until)


def is_up_to_date(said: Committed | None, own: Committed | None) -> bool:
    """Return whether a table of a log goes as far as the archive's record says it does."""
    if own is None:
        return False
    return own.rows == 0 if said is None else said.until == own.until


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
