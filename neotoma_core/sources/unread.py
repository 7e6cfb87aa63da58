"""Rows of a large target that were not read at first, once it is known that they matter."""

import polars as pl

from neotoma_core.lineage.offers import as_merged
from neotoma_core.lineage.references import Elsewhere
from neotoma_core.neotoma.frames import ROWID, TARGET, empty_rows
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.sources.extract import Extract
from neotoma_core.sqlite.picked_rows import keys_among, read_column, read_picked

_URL = "storage_url"


def with_unread(
    target: Extract | None, name: str, merged: pl.DataFrame, column: str, values: pl.Series
) -> pl.DataFrame:
    """Return merged rows, and all others of the target with one of ``values`` in ``column``."""
    rows = read_unread(target, name, column, values)
    if target is None or rows.is_empty():
        return merged
    new = rows.join(target.rows(name).select(ROWID), on=ROWID, how="anti")
    return pl.concat([merged, as_merged(new, TARGET, pl.col(ROWID))], how="diagonal")


def read_unread(target: Extract | None, name: str, column: str, values: pl.Series) -> pl.DataFrame:
    """Return the rows with one of ``values`` in ``column``; none of a table that was read whole."""
    extract = target.tables.get(name) if target else None
    if target is None or extract is None or not extract.unread:
        return empty_rows(BY_NAME[name])
    stored = extract.stored
    return read_picked(target.whole, stored.known, stored.columns, column, values.to_list())


def find_held_elsewhere(target: Extract | None) -> Elsewhere:
    """Return what tells which ids the target has in rows that were not read."""

    def among(name: str, ids: pl.Series) -> pl.Series:
        extract = target.tables.get(name) if target else None
        if target is None or extract is None or not extract.unread:
            return ids.clear()
        return keys_among(target.whole, name, ids)

    return among


def with_stored_files(target: Extract | None, sources: pl.DataFrame) -> pl.DataFrame:
    """Return the (storage_url, user_id) of sources, those included that were not read."""
    named = sources.select(_URL, "user_id")
    extract = target.tables.get("sources") if target else None
    if target is None or extract is None or not extract.unread:
        return named
    urls = read_column(target.whole, "sources", _URL)
    return pl.concat([named, urls.to_frame().with_columns(user_id=pl.lit(None, pl.String))])
