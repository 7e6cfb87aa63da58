"""What is asked of the operations on remotes."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from neotoma_core.backup.retention import RetentionPolicy
from neotoma_core.files.keys import KeySource


@dataclass(frozen=True, slots=True)
class VerifyRemoteRequest:
    """What the user asked for.

    ``target``: the database that the vault's own log is compared with, if any. ``sample``: the
    share of the contents that is read, chosen at random; None for all. ``max_duration``: no further
    content is begun after it. ``key``: of encrypted columns.
    """

    vault: Path
    target: Path | None = None
    sample: float | None = None
    max_duration: timedelta | None = None
    key: KeySource | None = None


@dataclass(frozen=True, slots=True)
class PruneRemoteRequest:
    """What the user asked for: backups of ``vault`` that ``policy`` does not keep."""

    vault: Path
    policy: RetentionPolicy
