"""How much examining one file may cost: seconds, memory, bytes written.

The more bytes a file has, the more it may cost: what suits a large database would let a small
crafted one stop a search for hours.
"""

import math
import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BYTES_PER_SECOND: Final = 1_000_000
_TIMES_IN_MEMORY: Final = 8
_TIMES_WRITTEN: Final = 64  # what is salvaged is text first, and then a database again
_LEAST_MEMORY: Final = 1_000_000_000
_STATISTICS: Final = Path("/proc/self/statm")
_NO_CORE: Final = 1  # a byte: of none at all, some systems hand the core to another program


@dataclass(frozen=True, slots=True)
class Allowance:
    """What examining one file may cost. ``memory``, ``written``: in bytes."""

    seconds: float = 300.0
    memory: int = 4_000_000_000
    written: int = 4_000_000_000

    def of_size(self, size: int) -> "Allowance":
        """Return what a file of so many bytes may cost; no more memory than the machine has."""
        memory = self.memory + _TIMES_IN_MEMORY * size
        return Allowance(
            self.seconds + size / _BYTES_PER_SECOND,
            min(memory, max(_machine_memory(), _LEAST_MEMORY)),
            self.written + _TIMES_WRITTEN * size,
        )


def _machine_memory() -> int:
    with suppress(ValueError, OSError):  # a system that does not tell
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return _LEAST_MEMORY


def restrict(allowance: Allowance, size: int) -> None:
    """Let this process have what reading one more file of so many bytes may cost, and no more.

    As far as the system can: whoever started the process looks at the clock. No core is dumped,
    since it would hold what was read.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    busy = used.ru_utime + used.ru_stime + allowance.seconds * (os.cpu_count() or 1)
    _limit(resource.RLIMIT_CORE, _NO_CORE)
    _limit(resource.RLIMIT_CPU, math.ceil(busy))
    _limit(resource.RLIMIT_FSIZE, allowance.written)
    with suppress(OSError, ValueError):  # where there is none, the limit would not be honoured
        pages = int(_STATISTICS.read_text().split()[0])
        mapped = 2 * size  # by SQLite, and by what salvages its pages
        held = pages * os.sysconf("SC_PAGE_SIZE")
        _limit(resource.RLIMIT_AS, held + mapped + allowance.memory)


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(kind, (soft, hard))
