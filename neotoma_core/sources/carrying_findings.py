"""What the user should know of what Neotoma does not: what is carried along, and what is not."""

from collections.abc import Iterator

import polars as pl

from neotoma_core.merge.plan import MergePlan
from neotoma_core.merge.table import TableMerge
from neotoma_core.neotoma.tables import BY_NAME, Table, kind_of
from neotoma_core.neotoma.tables.carried import LEGACY, fold_case
from neotoma_core.report.findings import Finding, finding_of_carried, not_carried, without_key
from neotoma_core.sources.carrying import Carrying
from neotoma_core.sources.extract import Extract

_NAMED = 100  # of a kind, in one backup: there may be any number


def carrying_findings(carrying: Carrying, merge: MergePlan) -> Iterator[Finding]:
    """Yield every table and column that is carried, all that is not, and rows without a key."""
    for table in carrying.tables.values():
        if table.kind == "carried":
            yield finding_of_carried(table.name, list(_more(carrying, table)))
        else:
            further = (name for name in table.names if name not in BY_NAME[table.name].names)
            yield from (finding_of_carried(f"{table.name}.{name}", []) for name in further)
    for backup in carrying.backups:
        yield from _not_carried(backup)
    for name, merged in merge.tables.items():
        rows = _without_key(merged)
        if rows:
            yield without_key(name, rows)


def _not_carried(backup: Extract) -> Iterator[Finding]:
    label = backup.database.label
    others = [other for other in backup.others if kind_of(other.name) != "derived"]
    for other in others[:_NAMED]:
        yield not_carried(label, other.name, other.what)
    if len(others) > _NAMED:
        yield not_carried(label, f"{len(others) - _NAMED:,} more", "views, triggers and the like")


def _more(carrying: Carrying, table: Table) -> Iterator[str]:
    """Yield what else is to be said of a carried table."""
    if fold_case(table.name) in LEGACY:
        yield "Neotoma drops it when it next opens the database"
    if carrying.target is None or table.name not in carrying.target.tables:
        stored = [b.tables[table.name].stored for b in carrying.backups if table.name in b.tables]
        indexes = sorted({name for backup in stored for name in backup.indexes})
        if indexes:
            yield f"without its indexes: {', '.join(indexes)}"


def _without_key(merged: TableMerge) -> int:
    """Return how many rows have no key, of a table that has one and is merged by it."""
    if not merged.table.key or merged.table.match:
        return 0
    no_key = pl.any_horizontal(pl.col(name).is_null() for name in merged.table.key)
    return merged.merged.filter(no_key).height
