"""Whether a database that was built has every row as it was archived, hash for hash."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.neotoma.frames import ROWID
from neotoma_core.row_versions.columns import ROW_HASH
from neotoma_core.row_versions.database_file import TableRows
from neotoma_core.row_versions.hashed_rows import hash_in_order
from neotoma_core.row_versions.row_hash import hash_again
from neotoma_core.sqlite.inspection import StoredTable, list_tables
from neotoma_core.sqlite.opening import connect_read_only

_PAIR: Final = {"content": pl.String(), "archived": pl.String()}


def find_unproven(path: Path, rows: Mapping[str, TableRows]) -> list[str]:
    """Return what is wrong with a database that should hold these rows in this order; else none.

    Every row of it is read and hashed again; a part is in memory at a time.
    """
    with closing(connect_read_only(path)) as connection:
        stored = {table.name: table for table in list_tables(connection, path)}
    failed = []
    for name, expected in rows.items():
        if name not in stored and not expected.height:
            continue  # of a later release than the database is
        others = _compare(path, stored[name], expected)
        changed = others.drop_nulls("archived")
        wrong = changed.height - _count_twins(path, stored[name], changed)
        more = others.height - changed.height
        if wrong:
            failed.append(f"{name}: {wrong:,} rows are not as archived")
        elif more:
            failed.append(f"{name}: {more:,} rows were not archived")
    return failed


def _compare(path: Path, table: StoredTable, expected: TableRows) -> pl.DataFrame:
    """Return (content, archived) hashes of the rows that do not have the one expected.

    A database that was built numbers its rows from 1. One that it lacks has no content; one more
    than there should be was not archived.
    """
    hashes = _Hashes(part[ROW_HASH] for part in expected.parts())
    taken, others = 0, [pl.DataFrame(schema=_PAIR)]
    for part in hash_in_order(path, table.known, table.columns):
        last = max(taken, int(part.select(pl.col(ROWID).max()).item() or 0))
        wanted = hashes.take(last - taken).to_frame("archived").with_row_index(ROWID, taken + 1)
        there = part.select(ROWID, content=ROW_HASH)
        both = there.join(wanted.cast({ROWID: pl.Int64}), on=ROWID, how="full", coalesce=True)
        differ = pl.col("content").ne_missing(pl.col("archived"))
        others.append(both.filter(differ).select(_PAIR.keys()))
        taken = last
    left = hashes.take(expected.height).to_frame("archived")
    lacking = max(expected.height - taken, left.height)
    others.append(pl.DataFrame({"content": None, "archived": [""] * lacking}, schema=_PAIR))
    return pl.concat(others)


class _Hashes:
    """Hashes that come in parts of any size, taken in parts of another."""

    def __init__(self, parts: Iterator[pl.Series]) -> None:
        self._parts = parts
        self._held = pl.Series(ROW_HASH, [], dtype=pl.String)

    def take(self, count: int) -> pl.Series:
        """Return the next ``count`` hashes, or as many as there are."""
        held = [self._held]
        while sum(map(len, held)) < count and (part := next(self._parts, None)) is not None:
            held.append(part)
        every = pl.concat(held)
        self._held = every.slice(count)
        return every.head(count)


def _count_twins(path: Path, table: StoredTable, others: pl.DataFrame) -> int:
    """Return how many of these rows are the second or a later of rows that are all the same.

    Of so many rows of one content, the hashes archived must be exactly those that so many have.
    """
    contents = others["content"].drop_nulls().unique()
    if contents.is_empty():
        return 0
    parts = hash_in_order(path, table.known, table.columns)
    kept = [part.filter(pl.col(ROW_HASH).is_in(contents.implode()))[ROW_HASH] for part in parts]
    there = dict(pl.concat(kept).value_counts().iter_rows())
    twins = 0
    for content, archived in others.drop_nulls().group_by("content").agg("archived").iter_rows():
        numbered = {hash_again(content, number) for number in range(2, there[content] + 1)}
        if len(archived) == len(numbered) and set(archived) == numbered:
            twins += len(archived)
    return twins
