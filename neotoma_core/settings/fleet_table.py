"""``[fleet]`` of ``midden.toml``: how the work on many databases is spread."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from neotoma_core.errors import UsageError
from neotoma_core.settings.database_tables import require_known, table_of

TaskRunner = Literal["processes", "threads", "dask"]
RUNNERS: Final = ("processes", "threads", "dask")
WORKERS: Final = 2
PER_DISK: Final = 2
_KEYS: Final = ("task_runner", "scheduler", "workers", "per_disk")
_COUNTS: Final = ("workers", "per_disk")
_MOST: Final = 1_000
_ADDRESS: Final = re.compile(r"(tcp|tls|ws|wss)://[^\s/@]+:\d{1,5}")


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """How databases are worked on, unless the command line says otherwise.

    ``task_runner``: what runs them. ``scheduler``: the address of Dask's, as tcp://HOST:PORT.
    ``workers``: how many at once. ``per_disk``: of them, at most so many whose vaults are on one
    disk.
    """

    task_runner: TaskRunner = "processes"
    scheduler: str | None = None
    workers: int = WORKERS
    per_disk: int = PER_DISK


def read_fleet(file: Path, value: object) -> FleetSettings:
    """Read the table; raises UsageError."""
    table = table_of(file, "fleet", value, "[fleet]")
    require_known(file, "fleet.", table, _KEYS)
    runner, scheduler = table.get("task_runner", RUNNERS[0]), table.get("scheduler")
    if runner not in RUNNERS:
        raise UsageError(f"{file}: fleet.task_runner must be {', '.join(RUNNERS[:-1])} or dask")
    if scheduler is not None and not is_scheduler(scheduler):
        raise UsageError(f"{file}: fleet.scheduler must be an address, like tcp://10.0.0.5:8786")
    counts = {key: _read_count(file, table, key) for key in _COUNTS}
    return FleetSettings(
        runner,
        None if scheduler is None else str(scheduler),
        counts["workers"] or WORKERS,
        counts["per_disk"] or PER_DISK,
    )


def is_scheduler(value: object) -> bool:
    """Return whether a value is the address of a scheduler."""
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None


def _read_count(file: Path, table: Mapping[str, object], key: str) -> int | None:
    said = table.get(key)
    if said is None:
        return None
    if not isinstance(said, int) or isinstance(said, bool) or not 1 <= said <= _MOST:
        raise UsageError(f"{file}: fleet.{key} must be a number from 1 to {_MOST:,}")
    return said
