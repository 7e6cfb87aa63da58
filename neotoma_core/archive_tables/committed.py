"""What a table of an archive has committed, and whether all of it is still there. Pure.

The rows of one run have one moment, and those of later runs have later ones, so what was committed
by some run is what the table has up to its moment, however often its files were rewritten since.

The digest of rows is a chain over their moments, oldest first. A link hashes the one before it,
the moment, how many rows it has, and the sums of the halves of their hashes, modulo 2^64. So the
order of rows does not count, and a run adds its link without reading what is there.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.documents.models import HexDigits, Last, Word
from neotoma_core.row_versions.columns import ARCHIVED_AT, REMOVED, ROW_HASH

_BEFORE_ALL: Final = -1
_HALF: Final = 16  # hex digits
_HALVES: Final = (0, _HALF)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a table had committed at some time.

    ``id``: what Delta calls the table; no two tables have the same. ``version``: the number of the
    last commit. ``until``: the moment of the last rows, in microseconds UTC. ``digest``: of all
    ``rows`` up to then.
    """

    id: Word
    version: Last = _BEFORE_ALL
    rows: int = 0
    until: Last = _BEFORE_ALL
    digest: HexDigits = ""


def proving_columns(table: str) -> tuple[str, ...]:
    """Return the columns by which the rows of a table are known to be those committed."""
    return (ROW_HASH, ARCHIVED_AT, "table") if table == REMOVED else (ROW_HASH, ARCHIVED_AT)


def continue_committed(before: Committed, version: int, rows: pl.DataFrame) -> Committed:
    """Return what was committed with all rows that are later than those ``before`` has.

    ``rows``: with the ``proving_columns`` of the table; earlier ones count for nothing.
    """
    digest, count, until = before.digest, before.rows, before.until
    for moment, label, number, *sums in _links(rows.filter(_moments() > before.until)):
        link = "|".join(map(str, (digest, moment, label, number, *sums)))
        digest, count, until = hashlib.sha256(link.encode()).hexdigest(), count + number, moment
    return Committed(before.id, version, count, until, digest)


def is_held(committed: Committed, rows: pl.DataFrame) -> bool:
    """Return whether among the ``rows`` a table has are exactly those committed up to then."""
    until = rows.filter(_moments() <= committed.until)
    there = continue_committed(Committed(committed.id), committed.version, until)
    return (there.rows, there.digest) == (committed.rows, committed.digest)


def _moments() -> pl.Expr:
    return pl.col(ARCHIVED_AT).dt.epoch("us").fill_null(0)


def _links(rows: pl.DataFrame) -> list[tuple[int, str, int, int, int]]:
    label = pl.col("table").fill_null("") if "table" in rows.columns else pl.lit("")
    parts = (pl.col(ROW_HASH).str.slice(start, _HALF) for start in _HALVES)
    halves = [part.str.to_integer(base=16, dtype=pl.UInt64, strict=False) for part in parts]
    grouped = rows.group_by(_moments().alias("moment"), label.alias("label")).agg(
        pl.len(), first=halves[0].sum(), second=halves[1].sum()
    )
    return grouped.sort("moment", "label").rows()
