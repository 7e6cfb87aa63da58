"""What a page of a recovery shows besides the report: days and types of each database, in counts.

They are read of the copies that the run has made, once it is done.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from neotoma_core.neotoma.frames import ORIGIN
from neotoma_core.pages.coverage import Lane
from neotoma_core.recovery.plan import RecoveryPlan
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.report.layout import common_folder, days
from neotoma_core.sources.extract import Extract
from neotoma_core.sqlite.opening import connect_read_only

_MOST_NAMES: Final = 12  # of a type
_MOST_IDS: Final = 100
Counted = Literal["observations", "entities"]


@dataclass(frozen=True, slots=True)
class TypeRecovered:
    """One type of entity: how many there were ``before``, how many come ``back``, in entities.

    ``observations`` come back with them. ``names``: of the first that come back, where they were
    asked for.
    """

    entity_type: str
    before: int
    back: int
    observations: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecoveryShown:
    """What the page of a recovery is made from.

    ``resent``: entities of observations that were sent again, and whether the other choice would
    change each. ``next``: the command to run then.
    """

    report: RecoveryReport
    lanes: tuple[Lane, ...]
    types: tuple[TypeRecovered, ...]
    resent: tuple[tuple[str, str, bool], ...]
    next: str


def shown_of(plan: RecoveryPlan, report: RecoveryReport, next_command: str) -> RecoveryShown:
    """Return what the page of a recovery is made from."""
    resent = plan.reingested.entities.select("entity_id", "entity_type", "differs")
    return RecoveryShown(
        report,
        tuple(_lanes(plan, report)),
        tuple(_types(plan)),
        tuple(resent.head(_MOST_IDS).iter_rows()),
        next_command,
    )


def _lanes(plan: RecoveryPlan, report: RecoveryReport) -> Iterator[Lane]:
    """Yield the target with what it lacks, what it is now, and each copy with what it brings."""
    brought = plan.merge.tables["observations"].inserted["observed_at"].str.slice(0, 10)
    back = Counter(brought.drop_nulls().to_list())
    before = _count_by(plan.target, "observations", "substr(observed_at, 1, 10)")
    folder = common_folder([report.target, *(backup.path for backup in report.backups)])
    name = report.target.removeprefix(folder)
    was, now = report.before, report.after
    facts = (f"{was.observations:,} observations before", days(was.first, was.last))
    yield Lane(name, _without_empty(facts), "target", before, back)
    if report.outcome == "published":
        facts = (f"{now.observations:,} observations now", days(now.first, now.last))
        yield Lane(name, _without_empty(facts), "after", Counter(before) + back)
    needed = (
        {used.path: used.loses for used in report.composition.used} if report.composition else {}
    )
    for backup, extract in zip(report.backups, plan.backups, strict=True):
        only = needed.get(backup.path)
        brings = (
            f"{backup.observations:,} observations",
            days(backup.first, backup.last),
            f"brings {backup.adds:,} that nothing before it has",
            f"{only:,} are only here" if only else "",
        )
        yield Lane(
            backup.path.removeprefix(folder),
            _without_empty(brings),
            "salvaged" if extract.database.suspect else "copy",
            _count_by(extract, "observations", "substr(observed_at, 1, 10)"),
        )


def _without_empty(facts: Sequence[str]) -> tuple[str, ...]:
    return tuple(filter(None, facts))


def _types(plan: RecoveryPlan) -> Iterator[TypeRecovered]:
    """Yield the types of entities, those that gain most first."""
    before = _count_by(plan.target, "entities", "entity_type")
    inserted = plan.merge.tables["entities"].inserted
    back = Counter(inserted["entity_type"].drop_nulls().to_list())
    stated = Counter(
        plan.merge.tables["observations"].inserted["entity_type"].drop_nulls().to_list()
    )
    names = _names(inserted) if plan.request.names and not plan.sealed else {}
    every = {*before, *back, *stated}
    for name in sorted(every, key=lambda name: (-back[name], -before.get(name, 0), name)):
        yield TypeRecovered(
            name, before.get(name, 0), back[name], stated[name], tuple(names.get(name, ()))
        )


def _names(inserted: pl.DataFrame) -> Mapping[str, Sequence[str]]:
    named = inserted.drop_nulls(["entity_type", "canonical_name"]).sort(ORIGIN, "canonical_name")
    return {
        str(kind): part["canonical_name"].head(_MOST_NAMES).to_list()
        for (kind,), part in named.group_by("entity_type", maintain_order=True)
    }


def _count_by(extract: Extract | None, table: Counted, by: str) -> Mapping[str, int]:
    """Return how many rows of a whole copy there are by an expression over its text columns."""
    held = extract.tables.get(table) if extract else None
    column = "observed_at" if table == "observations" else "entity_type"
    if extract is None or held is None or column not in held.columns:
        return {}
    with closing(connect_read_only(extract.whole)) as connection:
        rows = connection.execute(
            f"SELECT {by}, count(*) FROM main.{table} WHERE typeof({column}) = 'text' GROUP BY 1"
        ).fetchall()
    return {str(name): int(count) for name, count in rows}
