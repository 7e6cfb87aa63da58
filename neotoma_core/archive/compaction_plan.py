"""Which files of an archive become one, and which old ones may go. Pure.

Nothing is lost by either: compaction writes the same rows into fewer files, and only files that no
version names any more are removed, once nobody can still be reading or writing them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from neotoma_core.errors import UsageError

LARGE_BYTES: Final = 64 << 20
"""A file of this size stays as it is; groups are filled up to it."""

LONGEST_WRITER: Final = timedelta(hours=24)
"""No run writes, or reads, for longer: a younger file may belong to one that is under way."""

RETENTION: Final = timedelta(days=7)

SORTED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "observations": ("entity_id", "observed_at", "id"),
    "relationship_observations": ("relationship_key", "observed_at", "id"),
    "timeline_events": ("entity_id", "event_timestamp", "id"),
    "raw_fragments": ("entity_id", "created_at", "id"),
    "entities": ("id",),
    "removed_rows": ("table", "key"),
}
"""By entity, then time; of tables that know no entity, by time and key."""

_OTHERS: Final = ("created_at", "id")


@dataclass(frozen=True, slots=True)
class SizedFile:
    """One file of a table: its name, its size in bytes, its rows."""

    name: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class CompactionPlan:
    """The files of one table that become one, group by group; all others stay."""

    table: str
    groups: tuple[tuple[SizedFile, ...], ...]

    @property
    def files(self) -> int:
        """Files that are read and put aside."""
        return sum(map(len, self.groups))

    @property
    def bytes(self) -> int:
        """Bytes that are read."""
        return sum(file.bytes for group in self.groups for file in group)


def plan_compaction(
    table: str, files: Sequence[SizedFile], large: int = LARGE_BYTES
) -> CompactionPlan:
    """Group the small files of a table, in the order given; one small file alone stays."""
    groups: list[tuple[SizedFile, ...]] = []
    filling: list[SizedFile] = []
    for file in (f for f in files if f.bytes < large):
        if filling and sum(f.bytes for f in filling) + file.bytes > large:
            groups.append(tuple(filling))
            filling = []
        filling.append(file)
    groups.append(tuple(filling))
    return CompactionPlan(table, tuple(group for group in groups if len(group) > 1))


def sort_columns(table: str) -> tuple[str, ...]:
    """Return by which columns the rows of a compacted file are sorted."""
    return SORTED_BY.get(table, _OTHERS)


def retention_hours(retention: timedelta) -> int:
    """Return after how many whole hours a file that was put aside may go.

    Raises UsageError for less than the longest writer.
    """
    if retention < LONGEST_WRITER:
        hours = int(LONGEST_WRITER.total_seconds() // 3600)
        raise UsageError(
            f"--retention: a run may take {hours} hours and still need files of that age; "
            f"keep old files for {hours} hours or more"
        )
    return -(-int(retention.total_seconds()) // 3600)
