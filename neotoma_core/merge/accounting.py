"""Where every row that was read went."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class RowCounts:
    """One table of one backup: rows read, and what became of each. All counts are rows.

    ``skipped`` rows belong to a table that is not merged; ``reason`` says why.
    """

    backup: int
    table: str
    read: int
    inserted: int = 0
    identical: int = 0
    conflict: int = 0
    reingested: int = 0
    remapped: int = 0
    skipped: int = 0
    quarantined: int = 0
    reason: str = ""

    def __post_init__(self) -> None:
        accounted = sum(getattr(self, name) for name in CLASSES)
        if accounted != self.read:
            raise ValueError(f"{self.table}: {self.read} rows read, {accounted} accounted for")


CLASSES = tuple(
    f.name for f in fields(RowCounts) if f.name not in ("backup", "table", "read", "reason")
)


def total(counts: tuple[RowCounts, ...], name: str) -> int:
    """Return the sum of one class over many counts."""
    return sum(getattr(count, name) for count in counts)
