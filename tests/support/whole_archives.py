"""An archive read with all its rows in memory at one time: what a bucketed reading must equal."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from neotoma_core.archive_tables.building.selecting import Selection
from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.row_versions.columns import ARCHIVED, ARCHIVED_AT, REMOVED, ROW_HASH, key_of
from neotoma_core.row_versions.versions import as_of, in_order, latest, standing


def hashes_of(place: Path, selection: Selection) -> Mapping[str, list[str]]:
    """Return the hashes of the selected rows of every table, in their order."""
    archive = open_archive(place)
    removed = read_table(archive, REMOVED).require_whole()
    found = {}
    for table in ARCHIVED:
        versions = read_table(archive, table.name).require_whole()
        gone = removed.filter(pl.col("table") == table.name)
        chosen = _choose(table.name, versions, gone, selection)
        found[table.name] = in_order(chosen, versions, key_of(table.name))[ROW_HASH].to_list()
    return found


def _choose(
    table: str, versions: pl.DataFrame, gone: pl.DataFrame, selection: Selection
) -> pl.DataFrame:
    key, moment = key_of(table), selection.moment
    if moment is not None and table == "schema_registry":
        by_then = versions.filter(pl.col(ARCHIVED_AT) <= pl.lit(moment))
        return standing(by_then if by_then.height else versions, gone, key)
    if moment is not None:
        return as_of(versions, gone, key, moment)
    return (
        latest(versions, key) if selection.which == "everything" else standing(versions, gone, key)
    )
