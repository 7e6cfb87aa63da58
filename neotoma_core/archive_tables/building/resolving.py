"""The second stage: of every row the version that counts, cut into ranges of where rows belong."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from neotoma_core.archive_tables.building.selecting import Which
from neotoma_core.archive_tables.building.splitting import split_columns
from neotoma_core.archive_tables.reading import column_types
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.row_versions.columns import ARCHIVED_AT, ODD, REMOVED, ROW_HASH, key_of
from neotoma_core.row_versions.versions import PLACE, as_of, find_places, latest, standing
from neotoma_core.stages.parts import Made, Part, make_part
from neotoma_core.stages.places import Place

COUNTS: Final = "counts"
MISSING: Final = "missing"
SCHEMAS_TABLE: Final = "schema_registry"
_VERSION: Final = (ROW_HASH, ARCHIVED_AT)

RowPlace = tuple[int, int]
"""Where a row belongs: microseconds of the run that it came with, and its number then."""


@dataclass(frozen=True, slots=True)
class ResolveTask:
    """One bucket of a table.

    ``sources``: the parts with its versions. ``removals``: parts and the batches of them with what
    may be its removals. ``borders``: between the ranges, ascending.
    """

    place: Place
    table: str
    bucket: int
    sources: tuple[Part, ...]
    removals: tuple[tuple[Part, int], ...]
    which: Which
    moment: datetime | None
    borders: tuple[RowPlace, ...]


def resolve(task: ResolveTask) -> Part:
    """Make the part of one bucket: a batch for each range, its rows in the order of their places.

    Facts: counts of ``rows``, of those with ``odd`` cells, of the versions ``read`` and of those
    that are there ``twice``; the columns that are missing a value (column).
    """
    return make_part(task.place, f"resolve-{task.table}", task.bucket, lambda: _resolve(task))


def _resolve(task: ResolveTask) -> Made:
    table = task.table
    rows = _read(table, [(part, task.bucket) for part in task.sources])
    removed = _read(REMOVED, task.removals).filter(pl.col("table") == table)
    read, twice = rows.height, rows.select(*_VERSION).is_duplicated().sum()
    key = key_of(table)
    facts_of = dict.fromkeys((*_VERSION, ROWID, key, "created_at"))
    versions = rows.select(name for name in facts_of if name in rows.columns)
    chosen = _choose(task, versions, removed)
    placed = find_places(chosen, versions, key).select(*_VERSION, *PLACE)
    if twice:  # a file in the place of another has rows of its own twice
        rows, placed = (
            f.unique(_VERSION, keep="first", maintain_order=True) for f in (rows, placed)
        )
    kept = rows.join(placed, on=_VERSION).select(*BY_NAME[table].names, ODD, ROW_HASH, *PLACE)
    kept = kept.sort(*PLACE, ROW_HASH)
    empty = [name for name in BY_NAME[table].names if kept[name].null_count()]
    odd = kept.height - kept[ODD].null_count()
    facts = {
        COUNTS: pl.DataFrame({"rows": kept.height, "odd": odd, "read": read, "twice": twice}),
        MISSING: pl.DataFrame({"column": empty}, schema={"column": pl.String}),
    }
    return Made(_cut(kept, task.borders), facts)


def _read(table: str, batches: Sequence[tuple[Part, int]]) -> pl.DataFrame:
    empty = pl.DataFrame(schema=column_types(table, split_columns(table)))
    return pl.concat([empty, *(part.batch(number) for part, number in batches)])


def _choose(task: ResolveTask, versions: pl.DataFrame, removed: pl.DataFrame) -> pl.DataFrame:
    """Return the versions that count."""
    table, moment = task.table, task.moment
    key = key_of(table)
    if moment is not None and table == SCHEMAS_TABLE:
        # Neotoma reduces as of a time by the schemas of today; these are the nearest to then.
        return standing(_then(versions, moment), removed, key)
    if moment is not None:
        return as_of(versions, removed, key, moment)
    if task.which == "everything":
        return latest(versions, key)
    return standing(versions, removed, key)


def _then(versions: pl.DataFrame, moment: datetime) -> pl.DataFrame:
    """Return the versions archived by a moment, or all where there is none."""
    by_then = versions.filter(pl.col(ARCHIVED_AT) <= pl.lit(moment))
    return by_then if by_then.height else versions


def _cut(ordered: pl.DataFrame, borders: Sequence[RowPlace]) -> list[pl.DataFrame]:
    """Return the rows of each range; one that is at a border is after it."""
    at = ordered[PLACE[0]].dt.epoch("us").to_numpy()
    number = ordered[PLACE[1]].to_numpy()
    places = range(ordered.height)
    cuts = [bisect_left(places, border, key=lambda n: (at[n], number[n])) for border in borders]
    return [
        ordered[start:end] for start, end in zip([0, *cuts], [*cuts, ordered.height], strict=True)
    ]


def choose_borders(samples: pl.DataFrame, ranges: int) -> tuple[RowPlace, ...]:
    """Return the borders between so many ranges with about as many places of a sample each."""
    ordered = samples.sort("at", "number")
    step = ordered.height / ranges
    picked = [int(step * n) for n in range(1, ranges)] if ordered.height else []
    return tuple(ordered[number].row(0) for number in picked)
