"""How well a database is protected, as a report says it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawFilesGone:
    """Raw files of the newest backup: how many it ``listed``, and how many are ``gone`` since.

    ``newest``: the backup's folder. ``alarming``: so many that somebody should look.
    """

    newest: str
    listed: int
    gone: int
    alarming: bool


@dataclass(frozen=True, slots=True)
class ProtectionSummary:
    """What the vault of a database has. Times are ISO 8601 in UTC.

    ``good``: backups that are verified and not after a loss; ``level``: how far the drill of the
    newest one got; ``drop``: which share of the observations the newest lacks; ``overdue_seconds``:
    by how much the next one is late, null where it is not; ``frozen``: nothing is removed, because
    of the ``alarms``; ``incomplete``: something among the backups cannot be read. ``said``: all of
    that in one line.
    """

    vault: str
    backups: int
    good: int
    last_backup: str | None
    last_verified: str | None
    level: str
    drop: float
    overdue_seconds: int | None
    frozen: bool
    incomplete: bool
    alarms: tuple[str, ...]
    said: str

    @property
    def is_alarming(self) -> bool:
        """Whether somebody should look."""
        return self.frozen or self.incomplete or self.overdue_seconds is not None


@dataclass(frozen=True, slots=True)
class Leftover:
    """What runs that did not finish left in one place, in bytes, and what becomes of it."""

    path: str
    bytes: int
    detail: str
