"""How well a database is protected: by what its vault has, and at what time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from neotoma_core.backup.reporting import fault_findings
from neotoma_core.backup.standing import find_unexplained
from neotoma_core.errors import VaultError
from neotoma_core.report.protection import ProtectionSummary
from neotoma_core.vault import folder as vaults
from neotoma_core.vault.backups import list_backups
from neotoma_core.vault.manifests import Level

DAILY: Final = timedelta(days=1)
_SCHEDULE: Final = "schedule_seconds"
_AT_ONCE: Final = timedelta(hours=1)  # runs may wait so long for each other
_LATE: Final = 2  # intervals without a backup, from which on that is an alarm


@dataclass(frozen=True, slots=True)
class Protection:
    """What stands between a database and its loss.

    ``last_backup``: when the newest was taken. ``last_verified``: when one was last drilled
    successfully, ``level`` how far the newest one's drill got. ``drop``: which share of the
    observations the newest lacks. ``overdue``: by how much the next backup is late, None where it
    is not. ``good``: how many are verified and not after a loss. ``frozen``: why no backup is
    removed, if so; ``alarms``: what is missing. ``incomplete``: something cannot be read.
    ``scheduled``: somebody said how often backups are to be taken. ``findings``: what was wrong
    with the database when the newest was taken; the backup is as good as the database was.
    """

    vault: str
    last_backup: datetime | None
    last_verified: datetime | None
    level: Level
    drop: float
    overdue: timedelta | None
    good: int
    frozen: bool
    alarms: tuple[str, ...]
    incomplete: bool
    tables: dict[str, int]
    backups: int
    scheduled: bool
    findings: tuple[str, ...] = ()

    @property
    def is_due(self) -> bool:
        """Whether a backup is late that somebody expects: one was taken, or said to be."""
        return self.overdue is not None and (self.backups > 0 or self.scheduled)


def protection_of(vault: Path, now: datetime) -> Protection:
    """Return how well the database of a vault is protected; nothing is written.

    A vault that was never made protects nothing: its backup is overdue. Raises VaultDamaged.
    """
    listing = list_backups(vault)
    past = [b for b in listing.backups if b.manifest.taken_at <= now] or list(listing.backups)
    newest = past[-1] if past else None
    lossy = find_unexplained(listing.backups)
    verified = [b.state.verified_at for b in listing.backups if b.state.verified_at]
    return Protection(
        vault=str(vault),
        last_backup=newest.manifest.taken_at if newest else None,
        last_verified=max(verified, default=None),
        level=newest.state.drill.level if newest and newest.state.drill else "none",
        drop=newest.state.drop if newest else 0.0,
        overdue=overdue_by(newest.manifest.taken_at if newest else None, _interval(vault), now),
        good=sum(backup.is_good for backup in listing.backups),
        frozen=lossy is not None,
        alarms=(lossy.state.alarms or ()) if lossy else (),
        incomplete=not listing.is_complete,
        tables=dict(newest.manifest.counts.tables) if newest else {},
        backups=len(listing.backups),
        scheduled=_read_interval(vault) is not None,
        findings=fault_findings(vault, newest) if newest else (),
    )


def summary_for_report(protection: Protection) -> ProtectionSummary | None:
    """Return how well a database is protected for a report; None where it has no vault."""
    if not Path(protection.vault, vaults.DESCRIPTION).exists():
        return None
    last, verified, overdue = (
        protection.last_backup,
        protection.last_verified,
        protection.overdue if protection.is_due else None,
    )
    return ProtectionSummary(
        vault=protection.vault,
        backups=protection.backups,
        good=protection.good,
        last_backup=last.isoformat() if last else None,
        last_verified=verified.isoformat() if verified else None,
        level=protection.level,
        drop=protection.drop,
        overdue_seconds=int(overdue.total_seconds())
        if overdue is not None and protection.is_due
        else None,
        frozen=protection.frozen,
        incomplete=protection.incomplete,
        alarms=protection.alarms,
        said=protection_text(protection),
    )


def protection_text(protection: Protection) -> str:
    """Return that as one line."""
    last = protection.last_backup
    parts = [f"last backup {last.date()}" if last else "no backup"]
    verified = protection.last_verified
    parts.append(f"last verified {verified.date()}" if verified else "never verified")
    parts.append(f"{protection.good:,} good of {protection.backups:,}")
    fewer = f"{protection.drop:.0%}"
    if fewer != "0%":
        parts.append(f"{fewer} fewer observations")
    if protection.overdue is not None and protection.is_due:
        parts.append(f"OVERDUE by {_hours(protection.overdue)}" if last else "OVERDUE")
    if protection.frozen:
        parts.append(f"ALARM: {_first_of(protection.alarms)}; rotation is frozen")
    if protection.incomplete:
        parts.append("something among the backups cannot be read")
    parts += protection.findings
    return ", ".join(parts)


def _first_of(alarms: tuple[str, ...]) -> str:
    more = f" and {len(alarms) - 1:,} more alarms" if len(alarms) > 1 else ""
    return "".join(alarms[:1]) + more


def record_schedule(vault: Path, interval: timedelta) -> None:
    """Remember how often backups are to be taken, so that a missing one is noticed."""
    with vaults.lock_vault(vault):
        vaults.describe(vault, {_SCHEDULE: int(interval.total_seconds())})


def is_scheduled(vault: Path) -> bool:
    """Return whether somebody said how often backups are to be taken; no where nobody can say."""
    try:
        return _read_interval(vault) is not None
    except VaultError:
        return False


def _interval(vault: Path) -> timedelta:
    return _read_interval(vault) or DAILY


def _read_interval(vault: Path) -> timedelta | None:
    if not (vault / vaults.DESCRIPTION).exists():
        return None
    seconds = vaults.read_description(vault).schedule_seconds
    return None if seconds is None else timedelta(seconds=seconds)


def overdue_by(last: datetime | None, interval: timedelta, now: datetime) -> timedelta | None:
    """Return how late a backup is that should be taken every so often; None where it is not late.

    ``last``: when the newest was taken, None where there is none.
    """
    if last is None:
        return timedelta(0)
    late = now - last
    return late - interval if late > interval * _LATE else None


def _hours(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} d {hours % 24} h"


class TakenSince(Exception):
    """Nothing is to be done: a backup was taken since this one was due. ``backup``: its name."""

    def __init__(self, backup: str) -> None:
        self.backup = backup
        super().__init__(backup)


def require_none_since(folder: Path, since: datetime, now: datetime) -> None:
    """Raise TakenSince for a backup from then or later; one from the future does not count.

    ``now`` is when this run began: one that began after it may have been first in the vault.
    """
    for backup in reversed(list_backups(folder).backups):
        if since <= backup.manifest.taken_at <= now + _AT_ONCE:
            raise TakenSince(backup.name)
