"""DuckDB in memory: where JSON is taken apart in bulk. Opens no file and loads no extension."""

from functools import cache
from typing import Final

import duckdb
import polars as pl

_BETWEEN_KEYS: Final = "\x1f"  # JSON text can hold it only as an escape, which ``texts`` sets apart

_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "temp_directory": "",  # values of a memory spill into no file, whatever the memory
    "produce_arrow_string_view": "true",
}


def explode_objects(texts: pl.DataFrame) -> pl.DataFrame:
    """Take JSON objects apart into keys and values, in the order written.

    DuckDB, because it parses JSON several times faster than anything else at hand.

    Args:
        texts: (row, text), one JSON text a row.

    Returns:
        (row, shape, values), one row per text, in the same order: ``shape`` names the keys, see
        ``keys_of``; ``values`` holds the JSON text of every value. Both are null where DuckDB
        cannot read the text, and empty for what is not an object.
    """
    return _run(
        texts,
        """
        WITH documents AS (SELECT row, try_cast(text AS JSON) AS document FROM texts)
        SELECT
            row,
            array_to_string(json_keys(document), chr(31)) AS shape,
            json_extract(document, '$.*') AS "values"
        FROM documents
        """,
    )


def keys_of(shape: pl.Expr) -> pl.Expr:
    """Return the list of keys a ``shape`` names; of no key at all, it says one, the empty one."""
    return shape.str.split(_BETWEEN_KEYS)


def explode_arrays(texts: pl.DataFrame) -> pl.DataFrame:
    """Take JSON arrays apart: (text) to (text, items), ``items`` in the order written."""
    return _run(
        texts,
        """
        SELECT text, json_extract(CAST(text AS JSON), '$[*]') AS items FROM texts
        """,
    )


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """Return the one engine of the process: starting another takes longer than a small query."""
    return duckdb.connect(":memory:", config=_SETTINGS)


def _run(texts: pl.DataFrame, query: str) -> pl.DataFrame:
    # A cursor is a connection of its own, with its own views: threads do not meet.
    with _engine().cursor() as connection:
        # As Polars has them: by default it would copy all text into an older layout first.
        connection.register("texts", texts.to_arrow(compat_level=pl.CompatLevel.newest()))
        exploded: pl.DataFrame = connection.sql(query).pl()
        return exploded
