"""Findings of rows that an id, a hash of the content, proves to be altered, or does not prove."""

from collections.abc import Iterator, Mapping
from typing import Final

from neotoma_core.merge.plan import MergePlan
from neotoma_core.merge.proven_rows import not_as_hashed
from neotoma_core.neotoma.content_ids import NEEDED, doubtful
from neotoma_core.neotoma.frames import ORIGIN, ROWID, TARGET
from neotoma_core.report.findings import Finding

_MOST: Final = 250_000  # rows of a table that are looked at one by one


def findings_of_altered(merge: MergePlan, labels: Mapping[int, str]) -> Iterator[Finding]:
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
        if number == TARGET:
            continue
        if rows.height > _MOST:
            detail = f"{rows.height:,} rows are too many to compare each with its id"
            yield Finding("not-compared", label, detail)
            continue
        found = doubtful(name, rows, merge.rules.earlier)
        other = not_as_hashed(merge.tables[name].rewritten)
        lost = found.join(other, on=[ORIGIN, ROWID], how="anti").height
        if lost:
            detail = (
                f"{lost:,} of {rows.height:,} rows are unproven: their id is not the hash of "
                "their content; no other database has another version, so they are merged"
            )
            yield Finding("unproven", label, detail)
