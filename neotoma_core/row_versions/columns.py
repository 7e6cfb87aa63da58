"""What the tables of an archive are made of."""

from typing import Final

import polars as pl

from neotoma_core.neotoma.frames import POLARS_TYPES, ROWID
from neotoma_core.neotoma.tables import BY_NAME, TABLES, Table

ARCHIVED: Final = tuple(table for table in TABLES if table.kind in ("log", "registry"))
REMOVED: Final = "removed_rows"
FORMAT: Final = 1

ODD: Final = "_odd"  # cells that do not fit: a JSON object, column → SQL literal
ROW_HASH: Final = "_row_hash"  # see ``row_hash``
ARCHIVED_AT: Final = "_archived_at"  # when the version was appended; one moment per run
BACKUP: Final = "_backup"  # the database file and the run the version came from

_MOMENT: Final = pl.Datetime("us", "UTC")
_OWN: Final = {
    ROWID: pl.Int64(),
    ODD: pl.String(),
    ROW_HASH: pl.String(),
    ARCHIVED_AT: _MOMENT,
    BACKUP: pl.String(),
}


def archive_schema(table: Table) -> dict[str, pl.DataType]:
    """Return the columns of an archived table, by name.

    ``_rowid`` is the number the row had in its database: the order of rows counts in Neotoma.
    """
    return {column.name: POLARS_TYPES[column.type]() for column in table.columns} | _OWN


REMOVED_SCHEMA: Final[dict[str, pl.DataType]] = {
    "table": pl.String(),
    "key": pl.String(),
    ROW_HASH: pl.String(),
    ARCHIVED_AT: _MOMENT,
    BACKUP: pl.String(),
}
"""``removed_rows``: the version of a row that a run found gone from the database."""

SCHEMAS: Final = {table.name: archive_schema(table) for table in ARCHIVED} | {
    REMOVED: REMOVED_SCHEMA
}


def key_of(table: str) -> str:
    """Return the key column of an archived table; they all have one."""
    (key,) = BY_NAME[table].key
    return key


def as_migrated(table: str, name: str, kind: pl.DataType) -> pl.Expr:
    """Return a column that a file lacks, as a migration of the database would fill it."""
    known = {c.name: c.default for c in BY_NAME[table].columns} if table in BY_NAME else {}
    default = known.get(name)
    filled = default.strip("'") if default is not None else None
    return pl.lit(filled).cast(kind).alias(name)
