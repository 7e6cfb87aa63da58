"""What a table of an archive has committed, and whether all of it is still there. Pure.

The rows of one run have one moment, and those of later runs have later ones, so what was committed
by some run is what the table has up to its moment, however often its files were rewritten since.

The digest of rows is a chain over their moments, oldest first. A link hashes the one before it,
the moment, how many rows it has, and the sums of the halves of their hashes, modulo 2^64. So the
order of rows does not count, and a run adds its link without reading what is there.
"""

import hashlib
from collections.abc import Iterable
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


def links_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Return what the digest of rows is made of: (moment, label, rows, first, second), one per run.

    ``rows``: with the ``proving_columns`` of a table. Links of some rows and of others, together,
    are those of all: see ``joined_links``.
    """
    label = pl.col("table").fill_null("") if "table" in rows.columns else pl.lit("")
    parts = (pl.col(ROW_HASH).str.slice(start, _HALF) for start in _HALVES)
    halves = [part.str.to_integer(base=16, dtype=pl.UInt64, strict=False) for part in parts]
    moment = pl.col(ARCHIVED_AT).dt.epoch("us").fill_null(0)
    return rows.group_by(moment.alias("moment"), label.alias("label")).agg(
        pl.len().cast(pl.UInt64).alias("rows"), first=halves[0].sum(), second=halves[1].sum()
    )


def joined_links(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the links of rows that were counted part by part."""
    every = pl.concat(parts)
    sums = pl.col("rows", "first", "second").sum()
    return every.group_by("moment", "label").agg(sums)


def continue_committed(before: Committed, version: int, links: pl.DataFrame) -> Committed:
    """Return what was committed with all rows that are later than those ``before`` has.

    ``links``: of rows, as ``links_of`` returns them; earlier ones count for nothing.
    """
    digest, count, until = before.digest, before.rows, before.until
    later = links.filter(pl.col("moment") > before.until).sort("moment", "label")
    for moment, label, number, *sums in later.iter_rows():
        link = "|".join(map(str, (digest, moment, label, number, *sums)))
        digest, count, until = hashlib.sha256(link.encode()).hexdigest(), count + number, moment
    return Committed(before.id, version, count, until, digest)


def is_held(committed: Committed, links: pl.DataFrame) -> bool:
    """Return whether the rows a table has, by their links, hold exactly those committed by then."""
    until = links.filter(pl.col("moment") <= committed.until)
    there = continue_committed(Committed(committed.id), committed.version, until)
    return (there.rows, there.digest) == (committed.rows, committed.digest)
