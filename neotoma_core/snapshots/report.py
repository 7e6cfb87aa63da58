"""What becomes of the snapshots of a derived table, as reports say it."""

from dataclasses import dataclass

from neotoma_core.snapshots.deciding import Decided


@dataclass(frozen=True, slots=True)
class DerivedSummary:
    """What happens to the rows of one derived table. ``exact`` were reduced row by row."""

    table: str
    inserted: int
    updated: int
    removed: int
    unchanged: int
    exact: int


def summarise(decided: Decided) -> DerivedSummary:
    """Return what happens to the rows of one derived table."""
    change = decided.change
    return DerivedSummary(
        decided.table.name,
        change.inserted,
        change.updated,
        change.removed.height,
        change.unchanged,
        decided.reduction.exact,
    )
