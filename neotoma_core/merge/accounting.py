"""Where every row that was read went."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class RowCounts:
    """One table of one backup: rows read, and what became of each. All counts are rows.

    ``reasons``: why rows were skipped, each with its rows. ``three_way``: rows that differ in what
    only one side changed since a common ancestor. ``moved``: rows that a merge or split of entities
    gave another owner on one side.
    """

    backup: int
    table: str
    read: int
    inserted: int = 0
    identical: int = 0
    conflict: int = 0
    three_way: int = 0
    reingested: int = 0
    remapped: int = 0
    moved: int = 0
    skipped: int = 0
    quarantined: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        accounted = sum(getattr(self, name) for name in CLASSES)
        if accounted != self.read:
            raise ValueError(f"{self.table}: {self.read} rows read, {accounted} accounted for")
        if sum(self.reasons.values()) != self.skipped:
            raise ValueError(f"{self.table}: {self.skipped} rows skipped, not all with a reason")


CLASSES = tuple(
    f.name for f in fields(RowCounts) if f.name not in ("backup", "table", "read", "reasons")
)


def total(counts: tuple[RowCounts, ...], name: str) -> int:
    """Return the sum of one class over many counts."""
    return sum(getattr(count, name) for count in counts)
