"""Where every row that was read went."""

from dataclasses import dataclass, fields
from typing import Final

ERASED: Final = "erased"
"""The reason of rows skipped in a table that is merged: the vault knows them to be erased."""


@dataclass(frozen=True, slots=True)
class RowCounts:
    """One table of one backup: rows read, and what became of each. All counts are rows.

    ``skipped`` rows belong to a table that is not merged, or are ``ERASED``; ``reason`` says which.
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

    @property
    def merged(self) -> bool:
        """Whether the table is one that is merged, be it without some of its rows."""
        return self.reason in ("", ERASED)

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
