"""What is to be done with one database, as plain data that may go to another process or machine.

Settings, addresses and keys are not in it: whoever does it reads them where it is, by the name of
the database, from the same configuration file.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

Operation = Literal["status", "backup", "verify", "find", "archive", "push", "export"]
OPERATIONS: Final = ("status", "backup", "verify", "find", "archive", "push", "export")


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """The options of an operation.

    ``interval_hours``: how often backups are taken, where the file does not say it. ``max_age``,
    ``max_duration``: of ``verify``: only backups not verified for so long, and no drill of one
    database is begun after so long. ``search``: of ``find``, further places. ``to``: of ``export``,
    the folder that gets a folder per database. ``since``: when backups were due: none is taken of a
    database that has one since. ``per_disk``: how many may work on one disk.
    """

    interval_hours: float = 24.0
    max_age: timedelta | None = timedelta(days=7)
    max_duration: timedelta | None = None
    search: tuple[Path, ...] = ()
    to: Path | None = None
    per_disk: int = 2
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class FleetTask:
    """One database. ``remote``: of ``push``, where it goes. ``file``: the configuration."""

    operation: Operation
    name: str
    target: Path
    vault: Path
    file: Path
    now: datetime
    remote: str | None = None
    options: FleetOptions = field(default_factory=FleetOptions)

    @property
    def label(self) -> str:
        """What it is called in tables and messages."""
        return f"{self.name} to {self.remote}" if self.remote else self.name
