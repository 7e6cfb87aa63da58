"""Findings of rows that an id, a hash of the content, proves to be altered, or does not prove."""

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from neotoma_core.content_ids import NEEDED, are_proven, could_be_proven
from neotoma_core.frames import ORIGIN, ROWID, TARGET
from neotoma_core.merge.plan import MergePlan
from neotoma_core.report.findings import Finding

_MOST: Final = 250_000  # rows of a table that are looked at one by one
_FEW: Final = 0.1  # of a table; more that are not proven, and its ids are no hashes


def altered_findings(merge: MergePlan, labels: Mapping[int, str]) -> Iterator[Finding]:
    """Yield the rows that are altered, and those that are taken over although nothing proves them.

    ``labels``: what each database is called, by number.
    """
    found = merge.altered.unique().group_by(ORIGIN, "table").len().sort(ORIGIN, "table")
    for origin, table, rows in found.iter_rows():
        detail = (
            f"{rows:,} rows are altered: their id is the hash of another version, which another "
            "database has and which is kept"
        )
        yield Finding("altered", f"{labels[origin]}: {table}", detail)
    for name in NEEDED:
        yield from _unproven(merge, name, labels)


def _unproven(merge: MergePlan, name: str, labels: Mapping[int, str]) -> Iterator[Finding]:
    inserted = merge.tables[name].inserted
    for (origin,), rows in inserted.partition_by(ORIGIN, as_dict=True, maintain_order=True).items():
        number = int(str(origin))
        label = f"{labels[number]}: {name}"
        checked = rows.filter(could_be_proven(name, rows))
        if number == TARGET or checked.is_empty():
            continue
        if checked.height > _MOST:
            detail = f"{checked.height:,} rows are too many to compare each with its id"
            yield Finding("not-compared", label, detail)
            continue
        doubtful = checked.filter(~are_proven(name, checked, merge.rules.earlier))
        moved = _not_as_stored(merge, name, doubtful)
        lost = doubtful.height - moved
        if 0 < lost <= max(_FEW * checked.height, 1):
            detail = (
                f"{lost:,} of {checked.height:,} rows are unproven: their id is not the hash of "
                "their content; no other database has another version, so they are merged"
            )
            yield Finding("unproven", label, detail)


def _not_as_stored(merge: MergePlan, name: str, rows: pl.DataFrame) -> int:
    """Return how many rows have other references than they were written with."""
    rewritten = merge.tables[name].rewritten
    return rows.join(rewritten, on=[ORIGIN, ROWID], how="semi").height
