"""Which versions of a row there are, and which of them counts.

Versions: ``_row_hash``, ``_archived_at``, ``_rowid`` and the key of their table, one row per
version appended. Removals: ``_row_hash``, ``_archived_at``. A row without a key is a row of its
own, known by its hash. Of one table, one run appends one version of a key at most, and no two runs
have the same moment, so the order of ``LATEST`` is total.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.times import instants
from neotoma_core.row_versions.columns import ARCHIVED_AT, ROW_HASH

LATEST: Final = (ARCHIVED_AT, ROW_HASH)  # ascending: the last one counts
PLACE: Final = ("_first_at", "_first_row")  # ascending; see ``find_places``
_IDENTITY: Final = "_identity"


@dataclass(frozen=True, slots=True)
class Appends:
    """What one run adds to one table.

    ``rows``: (_rowid) of the database's rows that are new versions. ``removed``: (key, _row_hash)
    of versions that are gone from it. ``changed``: how many of the new versions have an older one.
    """

    rows: pl.DataFrame
    removed: pl.DataFrame
    changed: int


def plan_appends(stored: pl.DataFrame, standing: pl.DataFrame, key: str) -> Appends:
    """Compare the rows of a database with the versions that stand for it in the archive.

    ``stored``: (_rowid, key, _row_hash), hashes distinct. ``standing``: see ``standing``.
    """
    fresh = stored.join(standing, on=ROW_HASH, how="anti")
    changed = fresh.drop_nulls(key).join(standing.drop_nulls(key), on=key, how="semi").height
    none = standing.select(key=key, _row_hash=ROW_HASH).clear()
    if stored.height - fresh.height == standing.height:  # every version is there still
        return Appends(fresh.select(ROWID).sort(ROWID), none, changed)
    gone = standing.join(stored, on=ROW_HASH, how="anti")
    replaced = gone.drop_nulls(key).join(stored.drop_nulls(key), on=key, how="semi")
    removed = gone.join(replaced, on=ROW_HASH, how="anti")
    return Appends(
        fresh.select(ROWID).sort(ROWID), removed.select(key=key, _row_hash=ROW_HASH), changed
    )


def latest(versions: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return of every row its last version, whether or not it was removed since."""
    several = pl.col(key).is_null() | pl.col(key).is_duplicated()
    if not versions.select(several.any()).item():
        return versions
    last = (
        _identify(versions.filter(several), key)
        .sort(LATEST, maintain_order=True)
        .group_by(_IDENTITY, maintain_order=True)
        .last()
        .drop(_IDENTITY)
    )
    return pl.concat([versions.filter(~several), last.select(versions.columns)])


def standing(versions: pl.DataFrame, removals: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return the versions that say what the database holds: the last ones, less those removed."""
    if removals.is_empty():
        return latest(versions, key)
    gone = removals.group_by(ROW_HASH).agg(_gone=pl.col(ARCHIVED_AT).max())
    there = latest(versions, key).join(gone, on=ROW_HASH, how="left")
    back = pl.col("_gone").is_null() | (pl.col(ARCHIVED_AT) > pl.col("_gone"))
    return there.filter(back).drop("_gone")


def as_of(
    versions: pl.DataFrame, removals: pl.DataFrame, key: str, moment: datetime
) -> pl.DataFrame:
    """Return the versions that say best what the database held at a moment.

    ``versions`` also has ``created_at`` as stored. A row counts if it was created by then, or, if
    it does not say, was archived by then. Of its versions the last one archived by then counts; of
    one that was archived later only, the first.
    """
    limit = pl.lit(moment).cast(pl.Datetime("us", "UTC"))
    by_then = pl.col(ARCHIVED_AT) <= limit
    created = instants(versions["created_at"]).alias("_created")
    milliseconds = int(moment.timestamp() * 1000)
    dated = _identify(versions, key).with_columns(created).sort(LATEST, maintain_order=True)
    known = pl.when(pl.col("_created").is_null()).then(by_then)
    counting = dated.filter(known.otherwise(pl.col("_created") <= milliseconds))
    seen = counting.filter(by_then)
    first = counting.join(seen, on=_IDENTITY, how="anti")
    chosen = pl.concat(
        [
            seen.group_by(_IDENTITY, maintain_order=True).last(),
            first.group_by(_IDENTITY, maintain_order=True).first(),
        ]
    )
    kept = chosen.drop(_IDENTITY, "_created")
    return standing(kept, removals.filter(by_then), key)


def in_order(chosen: pl.DataFrame, versions: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return chosen versions in the order in which their rows came into the database."""
    return find_places(chosen, versions, key).sort(*PLACE, ROW_HASH).drop(*PLACE)


def find_places(chosen: pl.DataFrame, versions: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return chosen versions with ``PLACE``: which order of rows is that of the database.

    A row came in with its first version.
    """
    at, number = PLACE
    first = (
        _identify(versions, key)
        .sort(LATEST, maintain_order=True)
        .group_by(_IDENTITY, maintain_order=True)
        .agg(pl.col(ARCHIVED_AT).first().alias(at), pl.col(ROWID).first().alias(number))
    )
    return _identify(chosen, key).join(first, on=_IDENTITY, how="left").drop(_IDENTITY)


def next_moment(now: datetime, last: datetime | None) -> datetime:
    """Return the moment of a run: now, and after the one before, whatever the clock says."""
    if last is None or now > last:
        return now
    return last + timedelta(milliseconds=1)


def _identify(versions: pl.DataFrame, key: str) -> pl.DataFrame:
    """Add what makes versions those of one row: its key, or without one the hash."""
    return versions.with_columns(identity_of(key).alias(_IDENTITY))


def identity_of(key: str) -> pl.Expr:
    """Return what all versions of one row have in common, and their removals."""
    without = pl.format("#{}", pl.col(ROW_HASH))
    return pl.coalesce(pl.format("={}", pl.col(key)), without)
