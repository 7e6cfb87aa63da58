"""How much unpacking one file may cost: bytes, entries, time, room on the disk.

Invariant: bytes count where they come out and where they are written, so that neither what is
skipped nor a hole in a sparse file is free; and the disk keeps a reserve for everybody else.
"""

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_ASKED_EVERY: Final = 16 << 20
_MOST_RESERVE: Final = 1 << 30
_RESERVED_PART: Final = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How far an archive is unpacked. ``ratio`` counts only beyond ``ratio_from`` bytes."""

    bytes: int = 16 << 30
    ratio: int = 200
    ratio_from: int = 64 << 20
    entries: int = 200_000
    depth: int = 3
    seconds: float = 900.0


class CutShort(Exception):
    """An archive that goes beyond the limits, or cannot be read. The message says which."""


@dataclass(slots=True)
class Budget:
    """What may still be unpacked from one outer file of ``packed`` bytes into ``folder``."""

    limits: Limits
    packed: int
    folder: Path
    _unpacked: int = 0
    _written: int = 0
    _entries: int = 0
    _unasked: int = _ASKED_EVERY
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.limits.seconds

    def entry(self) -> None:
        """Count one entry of an archive."""
        self._entries += 1
        if self._entries > self.limits.entries:
            raise _over(f"has more than {self.limits.entries:,} entries")
        self._in_time()

    def count_unpacked(self, count: int) -> None:
        """Count bytes that came out, whether they are kept or not."""
        self._unpacked += count
        self._within(self._unpacked)
        self._in_time()

    def count_written(self, count: int) -> None:
        """Count bytes that are about to be written to the disk."""
        self._written += count
        self._within(self._written)
        self._unasked += count
        if self._unasked >= _ASKED_EVERY:
            self._unasked = count
            if free_for_scratch(self.folder) < max(count, _ASKED_EVERY):
                raise _over("does not fit on this disk unpacked")

    def _within(self, count: int) -> None:
        if count > self.limits.bytes:
            raise _over(f"unpacks to more than {self.limits.bytes / 1e9:,.1f} GB")
        if count > self.limits.ratio_from and count > self.limits.ratio * max(1, self.packed):
            raise _over(f"unpacks to more than {self.limits.ratio} times its size")

    def _in_time(self) -> None:
        if time.monotonic() > self._until:
            raise _over(f"takes more than {self.limits.seconds:,.0f} seconds")


def free_for_scratch(folder: Path) -> int:
    """Return how many bytes may be written where ``folder`` is, less what others need there."""
    usage = shutil.disk_usage(folder)
    return usage.free - min(_MOST_RESERVE, usage.total // _RESERVED_PART)


def _over(how: str) -> CutShort:
    return CutShort(f"not unpacked any further: it {how}")
