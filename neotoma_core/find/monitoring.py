"""The status of a database as one line for a monitor, and its exit code as monitors have them.

0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, as for plugins of Nagios and Icinga. Ages are in hours.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from neotoma_core.report.inventory import StatusReport
from neotoma_core.report.layout import escape_name
from neotoma_core.report.protection import ProtectionSummary
from neotoma_core.report.remotes import RemoteStandings

OK, WARNING, CRITICAL, UNKNOWN = range(4)
WORDS: Final = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_WORST_FIRST: Final = (CRITICAL, UNKNOWN, WARNING)
_PROVEN_WITHIN: Final = timedelta(days=8)
_LAGGING: Final = timedelta(days=2)


def check_line(report: StatusReport, now: datetime) -> tuple[str, int]:
    """Return the line and the exit code; the worst of what is wrong comes first."""
    wrong = sorted(_wrong(report, now), key=lambda one: _WORST_FIRST.index(one[0]))
    code = wrong[0][0] if wrong else OK
    facts = f"{report.observations:,} observations, {_ages(report, now)}"
    said = "; ".join([*(words for _, words in wrong), facts])
    return escape_name(f"{WORDS[code]} - {report.target}: {said}"), code


def unknown_line(why: str) -> tuple[str, int]:
    """Return the line and the exit code where nothing can be said."""
    return escape_name(f"{WORDS[UNKNOWN]} - {why}"), UNKNOWN


def _wrong(report: StatusReport, now: datetime) -> Iterator[tuple[int, str]]:
    drop, raw = report.drop, report.raw_files
    if report.is_unread:
        yield UNKNOWN, "another program keeps it locked"
    if drop.verdict == "ruined":
        yield CRITICAL, f"it cannot be used ({report.state})"
    if drop.verdict == "wiped":
        yield CRITICAL, f"looks wiped: a copy has {drop.best_observations:,} observations"
    if drop.verdict == "lacking":
        yield WARNING, f"lacks {drop.lacks:,} observations that copies have"
    if report.vault_absent:
        yield CRITICAL, "its vault is gone; connect the disk"
    else:
        yield from _wrong_backups(report.protection, now)
    if raw and raw.alarming:
        yield CRITICAL, f"{raw.gone:,} raw files are gone"
    yield from _wrong_remotes(report.remotes or RemoteStandings())


def _wrong_backups(
    protection: ProtectionSummary | None, now: datetime
) -> Iterator[tuple[int, str]]:
    if protection is None or not protection.backups:
        yield CRITICAL, "no backup was ever taken"
        return
    if protection.overdue_seconds is not None:
        yield CRITICAL, f"backup overdue by {protection.overdue_seconds / 3600:.1f} h"
    if protection.frozen:
        yield CRITICAL, f"loss: {'; '.join(protection.alarms)}"
    if protection.incomplete:
        yield CRITICAL, "some backups cannot be read"
    if protection.last_verified is None:
        yield WARNING, "no backup was ever restored and checked"
    elif now - datetime.fromisoformat(protection.last_verified) > _PROVEN_WITHIN:
        yield WARNING, "no restore was proven for more than 8 days"


def _wrong_remotes(standings: RemoteStandings) -> Iterator[tuple[int, str]]:
    if standings.problem:
        yield WARNING, "its remotes are not known"
    for remote in standings.remotes:
        if remote.failing:
            yield WARNING, f"the last push to {remote.name} failed"
        elif remote.lag_seconds is None or remote.lag_seconds > _LAGGING.total_seconds():
            yield WARNING, f"remote {remote.name} is behind"


def _ages(report: StatusReport, now: datetime) -> str:
    """Return how old the last backup, the last proof and each remote are, in hours."""
    protection, standings = report.protection, report.remotes or RemoteStandings()
    ages = [
        ("backup", protection.last_backup if protection else None),
        ("restore proven", protection.last_verified if protection else None),
    ]
    said = [
        f"{name} {(now - datetime.fromisoformat(at)).total_seconds() / 3600:.1f} h ago"
        for name, at in ages
        if at
    ]
    said += [
        f"{remote.name} {remote.lag_seconds / 3600:.1f} h behind"
        for remote in standings.remotes
        if remote.lag_seconds is not None
    ]
    return ", ".join(said) or "no backup"
